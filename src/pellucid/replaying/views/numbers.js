// What all views count with.

export const { abs, ceil, exp, floor, max, min, round, sqrt } = Math;

export const countOf = (shape) => shape.reduce((a, b) => a * b, 1); // the numbers of an array

export const lastOf = ({ shape }) => shape[shape.length - 1];
