// Photos: decoded by the browser, laid over white, and resized by Pillow's own algorithm (bicubic, whole numbers).

const BITS = 22; // of the fractions that pixels are multiplied by

function bicubic(x) {
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}

// For each place of a side of n pixels: the first of the pixels that it is made of, and how much each counts.
function coefficients(given, n, [from, to]) {
  const scale = (to - from) / n, wide = Math.max(scale, 1), support = 2 * wide;
  return Array.from({ length: n }, (_, i) => {
    const centre = from + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const stop = Math.min(given, Math.trunc(centre + support + 0.5));
    const parts = Array.from({ length: stop - first }, (_, k) => bicubic((k + first - centre + 0.5) / wide));
    const sum = parts.reduce((a, b) => a + b, 0);
    return { first, parts: parts.map((p) => Math.trunc((p / sum) * 2 ** BITS + (p < 0 ? -0.5 : 0.5))) };
  });
}

const byte = (sum) => Math.min(255, Math.max(0, Math.floor((sum + 2 ** (BITS - 1)) / 2 ** BITS)));

function resizeRows(pixels, [h, w], width, across) { // each row to another width
  const to = new Uint8Array(h * width * 3);
  coefficients(w, width, across).forEach(({ first, parts }, x) => {
    for (let y = 0; y < h; y++) for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let k = 0; k < parts.length; k++) sum += parts[k] * pixels[(y * w + first + k) * 3 + c];
      to[(y * width + x) * 3 + c] = byte(sum);
    }
  });
  return to;
}

function resizeColumns(pixels, [h, w], height, down) { // each column to another height
  const to = new Uint8Array(height * w * 3);
  coefficients(h, height, down).forEach(({ first, parts }, y) => {
    for (let i = 0; i < w * 3; i++) {
      let sum = 0;
      for (let k = 0; k < parts.length; k++) sum += parts[k] * pixels[(first + k) * w * 3 + i];
      to[y * w * 3 + i] = byte(sum);
    }
  });
  return to;
}

// Return RGB pixels of another size, or a part of them, rounded between the two passes; the sizes say which comes first.
function resize(rgb, [h, w], [height, width], canBeginWithColumns, down = [0, h], across = [0, w]) {
  const isWhole = ([from, to], n) => from === 0 && to === n;
  const rows = (pixels, n) => w === width && isWhole(across, w) ? pixels : resizeRows(pixels, [n, w], width, across);
  const columns = (pixels, n) => h === height && isWhole(down, h) ? pixels : resizeColumns(pixels, [h, n], height, down);
  const isTall = h > height && 2 * (w - width) < h - height;
  return canBeginWithColumns && isTall ? rows(columns(rgb, w), height) : columns(rows(rgb, h), width);
}

function roundEven(x) { // as Python rounds
  const n = Math.round(x);
  return n - x === 0.5 && n % 2 ? n - 1 : n;
}

// Return RGB pixels of a size, by what the network saw: squeezed, their middle, or all of them with black bars.
function fitted(rgb, [h, w], [height, width], fit, canBeginWithColumns) {
  const wanted = width / height, isWide = w / h > wanted;
  if (fit === "squeeze" || w / h === wanted) return resize(rgb, [h, w], [height, width], canBeginWithColumns);
  if (fit === "crop") {
    const [down, across] = isWide ? [h, wanted * h] : [w / wanted, w];
    const [top, left] = [(h - down) * 0.5, (w - across) * 0.5];
    return resize(rgb, [h, w], [height, width], canBeginWithColumns, [top, top + down], [left, left + across]);
  }
  const down = isWide ? Math.max(1, roundEven(h / w * width)) : height;
  const across = isWide ? width : Math.max(1, roundEven(w / h * height));
  const inner = resize(rgb, [h, w], [down, across], canBeginWithColumns), to = new Uint8Array(height * width * 3);
  const [top, left] = [roundEven((height - down) * 0.5), roundEven((width - across) * 0.5)];
  for (let y = 0; y < down; y++) to.set(inner.subarray(y * across * 3, (y + 1) * across * 3), ((top + y) * width + left) * 3);
  return to;
}

// Return a file's pixels, upright, as {rgb, size: [height, width]}.
async function decode(file) {
  const options = { imageOrientation: "from-image", colorSpaceConversion: "none" };
  const plain = () => createImageBitmap(file); // for browsers that do not know these options
  const bitmap = await createImageBitmap(file, options).catch(plain).catch(() => {
    throw new Error("This file is not an image that the browser opens. Try a JPEG or PNG file.");
  });
  const { width, height } = bitmap, canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const tooLarge = new Error("This image is too large for the browser. Save it at a smaller size.");
  if (!context) throw tooLarge;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  let data;
  try { ({ data } = context.getImageData(0, 0, width, height)); } catch { throw tooLarge; }
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0, k = 0; i < data.length; i += 4) { rgb[k++] = data[i]; rgb[k++] = data[i + 1]; rgb[k++] = data[i + 2]; }
  return { rgb, size: [height, width], canvas };
}

// Return a photo's pixels as the network takes them: (height, width, 3), or one number of grey for each.
function sampleOf(photo, shape, fit, canBeginWithColumns) {
  const rgb = fitted(photo.rgb, photo.size, shape, fit, canBeginWithColumns);
  if (shape[2] === 3) return rgb;
  return Uint8Array.from({ length: rgb.length / 3 }, (_, i) =>
    (rgb[3 * i] * 19595 + rgb[3 * i + 1] * 38470 + rgb[3 * i + 2] * 7471 + 0x8000) >> 16);
}
