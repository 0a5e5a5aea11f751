// How an array is drawn: tiles of h times w numbers in a grid; where each number of a tile stands in the array.

import { palette } from "./colours.js";

const TILE_PIXELS = 4e6, TILE_GAP = 1;
const countOf = (shape) => shape.reduce((a, b) => a * b, 1);

// Return the shape of the photo or the maps that a row of numbers was made of by Flatten, or null.
export function imageOf(replay, value) {
  const { inputs, steps } = replay.network, shape = inputs[value];
  if (shape) return shape.length === 3 ? shape : null;
  const step = steps.find(({ to }) => to === value);
  if (!step) return null;
  if (step.shape.length === 3) return step.shape;
  return ["flatten", "activation"].includes(step.do) ? imageOf(replay, step.from[0]) : null;
}

// Tiles of an array {data, shape}; image: the shape of the numbers of a row, or of the first axis of a matrix.
export function layOut(data, shape, start = 0, image = null) {
  const n = countOf(shape), across = (count, wide) => (count <= 4 ? count : Math.max(1, Math.min(count, Math.round(Math.sqrt(count * wide)))));
  const tiled = (h, w, sy, sx, counts, steps, perRow = null) => {
    const [outer, inner] = counts, offsets = new Float64Array(outer * inner);
    for (let i = 0; i < outer; i++) for (let j = 0; j < inner; j++) offsets[i * inner + j] = start + i * steps[0] + j * steps[1];
    const columns = perRow ?? inner * across(outer, (2 * h) / w / inner);
    return { data, start, offsets, across: Math.max(1, columns), h, w, sy, sx, n: h * w };
  };
  if (shape.length === 4) { // of kernels: a row for each filter, a tile for each channel
    const [h, w, channels, filters] = shape;
    return channels === 1 ? tiled(h, w, w * filters, filters, [filters, 1], [1, 0], across(filters, (2 * h) / w))
      : tiled(h, w, w * channels * filters, channels * filters, [filters, channels], [1, filters], channels);
  }
  if (shape.length === 3) { const [h, w, channels] = shape; return tiled(h, w, w * channels, channels, [channels, 1], [1, 0], across(channels, (2 * h) / w)); }
  if (shape.length === 2) {
    const [rows, columns] = shape;
    if (image && countOf(image) === rows) {
      const [h, w, channels] = image;
      return tiled(h, w, w * channels * columns, channels * columns, [columns, channels], [1, columns]);
    }
    if (rows <= 400 && columns <= 400 && rows <= 48 * columns) return tiled(rows, columns, columns, 1, [1, 1], [0, 0]);
    const w = Math.ceil(Math.sqrt(rows * 1.6)), found = tiled(Math.ceil(rows / w), w, w * columns, columns, [columns, 1], [1, 0]);
    return { ...found, n: rows };
  }
  if (shape.length === 1 && image && countOf(image) === n) { const [h, w, channels] = image; return tiled(h, w, w * channels, channels, [channels, 1], [1, 0]); }
  const w = n <= 32 ? n : Math.ceil(Math.sqrt(n * 1.6));
  return { ...tiled(Math.max(1, Math.ceil(n / w)), Math.max(1, w), w, 1, [1, 1], [0, 0]), n };
}

export function tilesOf(replay, step, name, sample = 0) {
  const { data, shape } = replay.array(step, name), base = name.split(".")[0].replace(/^(d|update_)(?=.)/, "");
  const own = step === "loss" ? null : replay.network.steps[step];
  const image = !own ? null : base === "X" || base === "W" ? imageOf(replay, own.from[0]) : own.do === "dense" ? null : imageOf(replay, own.to);
  if (!replay.isOfSamples(name)) return layOut(data, shape, 0, image);
  const own_shape = shape.slice(1);
  return layOut(data, own_shape, sample * countOf(own_shape), image);
}

export function sizeOf(tiles) { // in numbers, [height, width]; what is too much for a canvas is left out
  const n = Math.min(tiles.offsets.length, Math.max(1, Math.floor(TILE_PIXELS / ((tiles.h + TILE_GAP) * (tiles.w + TILE_GAP)))));
  const across = Math.min(n, tiles.across), down = Math.ceil(n / across);
  return { n, across, down, height: down * (tiles.h + TILE_GAP) - TILE_GAP, width: across * (tiles.w + TILE_GAP) - TILE_GAP };
}

export function indexAt(tiles, row, column) { // of a number by where it is drawn, or -1
  const { n, across } = sizeOf(tiles), ty = Math.floor(row / (tiles.h + TILE_GAP)), tx = Math.floor(column / (tiles.w + TILE_GAP));
  const y = row - ty * (tiles.h + TILE_GAP), x = column - tx * (tiles.w + TILE_GAP), tile = ty * across + tx;
  if (row < 0 || column < 0 || tx >= across || tile >= n || y >= tiles.h || x >= tiles.w || y * tiles.w + x >= tiles.n) return -1;
  return tiles.offsets[tile] + y * tiles.sy + x * tiles.sx;
}

export function whereIs(tiles, index) { // [row, column] of a number, or null where it is not drawn
  const { n, across } = sizeOf(tiles), { h, w, sy, sx, offsets } = tiles;
  for (let tile = 0; tile < n; tile++) {
    const left = index - offsets[tile];
    if (left < 0) continue;
    const y = Math.min(h - 1, Math.floor(left / sy)), x = (left - y * sy) / sx;
    if (Number.isInteger(x) && x < w && y * w + x < tiles.n) return [Math.floor(tile / across) * (h + TILE_GAP) + y, (tile % across) * (w + TILE_GAP) + x];
  }
  return null;
}

// Draw numbers, one pixel each; scale is the size of the number with the full colour.
export function paint(canvas, tiles, scale, isPaper = false) {
  const { n, across, height, width } = sizeOf(tiles), { table, broken } = palette(isPaper), { data, offsets, h, w, sy, sx } = tiles;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height), words = new Uint32Array(image.data.buffer);
  const by = scale > 0 ? 255 / scale : 0;
  for (let tile = 0; tile < n; tile++) {
    const top = Math.floor(tile / across) * (h + TILE_GAP), left = (tile % across) * (w + TILE_GAP);
    for (let y = 0, seen = 0; y < h; y++) {
      let i = offsets[tile] + y * sy, to = (top + y) * width + left;
      for (let x = 0; x < w && seen < tiles.n; x++, seen++, i += sx, to++) {
        const a = data[i];
        words[to] = Math.abs(a) <= scale ? table[(a * by + 255.5) | 0] : broken; // NaN and infinity are not below
      }
    }
  }
  context.putImageData(image, 0, 0);
}

export function paintPhoto(canvas, { data, shape: [h, w, channels] }) { // bytes, in their own colours
  [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d"), image = context.createImageData(w, h);
  for (let i = 0; i < h * w; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = data[i * channels + (channels >= 3 ? c : 0)];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
