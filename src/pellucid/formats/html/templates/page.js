// The page: what is dropped, pasted, chosen or typed goes through the network, and the verdict is shown.

const network = JSON.parse(document.getElementById("network").textContent);
const half = (bits) => { // sign, 5 bits of exponent and 10 of a fraction; no infinity is stored
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
  return bits & 0x8000 ? -size : size;
};
const weights = (() => {
  const text = atob(document.getElementById("weights").textContent.replace(/\s/g, ""));
  const view = new DataView(new ArrayBuffer(text.length)), { stored } = network;
  for (let i = 0; i < text.length; i++) view.setUint8(i, text.charCodeAt(i));
  const found = new Float32Array(stored.reduce((sum, [, n]) => sum + n, 0));
  let i = 0, place = 0;
  for (const [size, n] of stored) for (const stop = i + n; i < stop; i++, place += size)
    found[i] = size === 4 ? view.getFloat32(place, true) : half(view.getUint16(place, true));
  return found;
})();
const MOST_SHOWN = 10;
const at = (id) => document.getElementById(id);

function predict(numbers) { // as the samples of the training were: bytes, or columns
  const { divisor, middle, scale, clip } = network.prepares;
  const scaled = (x, i) => (middle ? (x - middle[i]) / scale[i] : Math.fround(x) / divisor);
  const clipped = (z) => (clip ? z / Math.hypot(1, z / clip) : z);
  const data = Float32Array.from(numbers, (x, i) => clipped(scaled(x, i)));
  return readOutputs(network, outputsFor(network, weights, { data, shape: network.input }));
}

const predictPhoto = async (file) => {
  const photo = await decode(file), sample = sampleOf(photo, network.input, network.fit, network.columns_first);
  return { photo, sample, outputs: predict(sample) };
};

function element(kind, text, name) {
  const made = document.createElement(kind);
  if (text !== undefined) made.textContent = text; // never markup, whatever a class is called
  if (name) made.className = name;
  return made;
}

const percent = (p) => `${(100 * p).toFixed(1)}\u00a0%`;

function show(outputs) {
  const { kind } = network.reads, classes = network.classes;
  const order = outputs.map((_, i) => i).sort((a, b) => outputs[b] - outputs[a]);
  const verdict = at("verdict"), bars = at("bars");
  at("error").textContent = "";
  bars.replaceChildren();
  if (kind === "values") verdict.textContent = outputs.map((y) => Number(y.toPrecision(6)).toLocaleString("en")).join(", ");
  else if (kind === "answers") verdict.textContent = order.filter((i) => outputs[i] > 0.5).map((i) => classes[i]).join(", ") || "none of them";
  else verdict.textContent = classes[order[0]];
  if (kind === "probabilities") verdict.append(" ", element("small", percent(outputs[order[0]])));
  if (kind !== "values") for (const i of order.slice(0, MOST_SHOWN)) {
    const row = element("li"), track = element("span", undefined, "track"), bar = element("span", undefined, "bar");
    const isShare = kind !== "scores";
    bar.style.width = `${100 * (isShare ? outputs[i] : 0)}%`;
    track.append(bar);
    track.setAttribute("aria-hidden", "true");
    row.append(element("span", classes[i], "name"), element("span", isShare ? percent(outputs[i]) : outputs[i].toFixed(3), "share"));
    if (isShare) row.append(track);
    if (i === order[0]) row.className = "first";
    bars.append(row);
  }
  const left = kind === "values" ? 0 : order.length - MOST_SHOWN;
  at("more").textContent = left > 0 ? `and ${left} more classes, each less probable` : "";
  at("result").hidden = false;
}

function showError(error) {
  at("error").textContent = error.message;
  at("result").hidden = true;
}

function draw(canvas, pixels, [height, width], channels) {
  [canvas.width, canvas.height] = [width, height];
  const image = canvas.getContext("2d").createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[i * channels + (channels === 3 ? c : 0)];
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

let latest = 0;
async function take(file) {
  const turn = ++latest; // an earlier photo that is still decoded must not replace a later one
  try {
    const { photo, sample, outputs } = await predictPhoto(file);
    if (turn !== latest) return;
    const shown = at("photo"), scale = Math.min(1, 720 / Math.max(...photo.size));
    [shown.width, shown.height] = [Math.max(1, photo.size[1] * scale), Math.max(1, photo.size[0] * scale)];
    shown.getContext("2d").drawImage(photo.canvas, 0, 0, shown.width, shown.height);
    draw(at("seen"), sample, network.input, network.input[2] === 3 ? 3 : 1);
    at("photos").hidden = false;
    show(outputs);
  } catch (error) {
    if (turn === latest) { at("photos").hidden = true; showError(error); }
  }
}

function listenForPhotos() {
  const drop = at("drop"), imageIn = (files) => Array.from(files).find((f) => f.type.startsWith("image/")) || files[0];
  at("file").addEventListener("change", (event) => { if (event.target.files.length) take(event.target.files[0]); event.target.value = ""; });
  document.addEventListener("paste", (event) => { if (event.clipboardData.files.length) take(imageIn(event.clipboardData.files)); });
  for (const name of ["dragenter", "dragover"])
    document.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) take(imageIn(event.dataTransfer.files));
  });
}

function listenForRows() {
  const form = at("row");
  network.columns.forEach(({ name, kind, words, fill, truths, usual }, i) => {
    const choices = kind === "boolean" ? [truths[1], truths[0], ...(fill === null ? [] : [""])] : words;
    const label = element("label"), field = element(choices.length ? "select" : "input");
    label.append(element("span", name));
    if (choices.length) {
      for (const word of choices) field.append(Object.assign(element("option", word || "(missing)"), { value: word }));
      field.value = usual;
    } else Object.assign(field, { type: "text", inputMode: kind === "numeric" ? "decimal" : "text", value: usual, autocomplete: "off" });
    field.id = `column-${i}`;
    label.append(field);
    form.append(label);
  });
  const update = () => {
    const typed = Object.fromEntries(network.columns.map(({ name }, i) => [name, at(`column-${i}`).value]));
    try { show(predict(encode(typed))); } catch (error) { showError(error); }
  };
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => { event.preventDefault(); update(); });
  update();
}

if (network.columns) listenForRows(); else listenForPhotos();
