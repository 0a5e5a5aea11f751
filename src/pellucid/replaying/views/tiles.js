// How an array is drawn: tiles of h times w numbers in a grid; where each number of a tile stands in the array.

import { abs, ceil, countOf, floor, max, min, round, sqrt } from "./numbers.js";
import { palette } from "./colours.js";

const TILE_PIXELS = 4e6, TILE_GAP = 1, TILE_GROUP = 2; // the channels of a filter or a unit stand together

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
  const n = countOf(shape), across = (count, wide) => (count <= 4 ? count : max(1, min(count, round(sqrt(count * wide)))));
  const tiled = (h, w, sy, sx, [outer, inner], steps) => {
    const offsets = new Float64Array(outer * inner);
    for (let i = 0; i < outer; i++) for (let j = 0; j < inner; j++) offsets[i * inner + j] = start + i * steps[0] + j * steps[1];
    return { data, start, offsets, inner, across: inner * across(outer, (2 * h) / w / inner), h, w, sy, sx, n: h * w };
  };
  if (shape.length === 4) { // of kernels: a group for each filter, a tile for each channel
    const [h, w, channels, filters] = shape;
    return tiled(h, w, w * channels * filters, channels * filters, [filters, channels], [1, filters]);
  }
  if (shape.length === 3) { const [h, w, channels] = shape; return tiled(h, w, w * channels, channels, [channels, 1], [1, 0]); }
  if (shape.length === 2) {
    const [rows, columns] = shape;
    if (image && countOf(image) === rows) {
      const [h, w, channels] = image;
      return tiled(h, w, w * channels * columns, channels * columns, [columns, channels], [1, columns]);
    }
    if (rows <= 400 && columns <= 400 && rows <= 48 * columns) return tiled(rows, columns, columns, 1, [1, 1], [0, 0]);
    const w = ceil(sqrt(rows * 1.6)), found = tiled(ceil(rows / w), w, w * columns, columns, [columns, 1], [1, 0]);
    return { ...found, n: rows };
  }
  if (shape.length === 1 && image && countOf(image) === n) { const [h, w, channels] = image; return tiled(h, w, w * channels, channels, [channels, 1], [1, 0]); }
  const w = n <= 32 ? n : ceil(sqrt(n * 1.6));
  return { ...tiled(max(1, ceil(n / w)), max(1, w), w, 1, [1, 1], [0, 0]), n };
}

export function tilesOf(replay, step, name, sample = 0) {
  const { data, shape } = replay.array(step, name), base = name.split(".")[0].replace(/^(d|update_)(?=.)/, "");
  const own = step === "loss" ? null : replay.network.steps[step];
  const image = !own ? null : base === "X" || base === "W" ? imageOf(replay, own.from[0]) : own.do === "dense" ? null : imageOf(replay, own.to);
  if (!replay.isOfSamples(name)) return layOut(data, shape, 0, image);
  const own_shape = shape.slice(1);
  return layOut(data, own_shape, sample * countOf(own_shape), image);
}

const groupOf = ({ w, inner }) => inner * (w + TILE_GAP) + (inner > 1 ? TILE_GROUP : 0); // pixels of a group
const columnOf = (tiles, tile) => floor(tile / tiles.inner) * groupOf(tiles) + (tile % tiles.inner) * (tiles.w + TILE_GAP);

export function sizeOf(tiles) { // in numbers, [height, width]; what is too much for a canvas is left out
  const { h, w } = tiles, n = min(tiles.offsets.length, max(1, floor(TILE_PIXELS / ((h + TILE_GAP) * (w + TILE_GAP)))));
  const across = max(1, min(n, tiles.across)), down = ceil(n / across);
  return { n, across, down, height: down * (h + TILE_GAP) - TILE_GAP, width: columnOf(tiles, across - 1) + w };
}

export function indexAt(tiles, row, column) { // of a number by where it is drawn, or -1
  const { n, across } = sizeOf(tiles), { h, w, inner } = tiles, ty = floor(row / (h + TILE_GAP)), group = floor(column / groupOf(tiles)), left = column - group * groupOf(tiles);
  const y = row - ty * (h + TILE_GAP), x = left % (w + TILE_GAP), own = floor(left / (w + TILE_GAP)), tx = group * inner + own, tile = ty * across + tx;
  if (row < 0 || column < 0 || own >= inner || tx >= across || tile >= n || y >= h || x >= w || y * w + x >= tiles.n) return -1;
  return tiles.offsets[tile] + y * tiles.sy + x * tiles.sx;
}

export function whereIs(tiles, index) { // [row, column] of a number, or null where it is not drawn
  const { n, across } = sizeOf(tiles), { h, w, sy, sx, offsets } = tiles;
  for (let tile = 0; tile < n; tile++) {
    const left = index - offsets[tile];
    if (left < 0) continue;
    const y = min(h - 1, floor(left / sy)), x = (left - y * sy) / sx;
    if (Number.isInteger(x) && x < w && y * w + x < tiles.n) return [floor(tile / across) * (h + TILE_GAP) + y, columnOf(tiles, tile % across) + x];
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
    const top = floor(tile / across) * (h + TILE_GAP), left = columnOf(tiles, tile % across);
    for (let y = 0, seen = 0; y < h; y++) {
      let i = offsets[tile] + y * sy, to = (top + y) * width + left;
      for (let x = 0; x < w && seen < tiles.n; x++, seen++, i += sx, to++) {
        const a = data[i];
        words[to] = abs(a) <= scale ? table[(a * by + 255.5) | 0] : broken; // NaN and infinity are not below
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
