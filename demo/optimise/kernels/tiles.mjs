// Loops of matrix products, as code of wasm (see kernels/f32.mjs).
// C = A B, or C += A B, for a few rows and columns at once: a sum for each row and four columns stays in a register, as do the columns of B and one
// number of A in each lane. B lies in panels of sixteen columns, of each step along the sum 64 bytes; A's rows take four bytes a step.
import { atLeast, either, get, I32, lane, load, loadOne, loadToAll, loopWhile, minus, number, plus, range, set, store, storeOne, sum, sumOfOne, V128, when, ZERO } from "./instructions.mjs";

export const PANEL = 16;
const UNROLLED = 4; // steps before a jump back

/** Locals of a function, behind its arguments: `types` is theirs. */
export class Locals {
  types = [];
  #taken;

  constructor(taken) {
    this.#taken = taken;
  }

  one = (type) => this.#taken + this.types.push(type) - 1;
  some = (count, type) => range(count).map(() => this.one(type));
}

/**
 * What computes one tile: `block(rows, first, vectors)` is code for so many rows, and of a panel the columns from `first` on, four for each of
 * `vectors`. `most`: rows and columns of the largest tile.
 * `a`, `b`, `c`: code for addresses of row 0 of A, of B's panel and of C's part below it. `strideOfA`, `strideOfC`: bytes between rows. `steps`: how many.
 * `columns`: how many there are from the panel's first on. `add(sum, a, b)`: a step; `result(sum, row)`: of the sums. `adds`: to what C holds.
 */
export function tiles(locals, { most, a, b, c, strideOfA, strideOfC, steps, columns, add, result, adds }) {
  const [atB, left, atC] = locals.some(3, I32);
  const rowsOfA = locals.some(most.rows, I32);
  const sums = locals.some(most.sums, V128);
  const fromB = locals.some(most.vectors, V128);
  const fromA = locals.one(V128);

  return (rows, first, vectors) => {
    const sumOf = (row, vector) => sums[row * vectors + vector];
    const some = (count) => [
      ...range(count).map((step) => [
        ...range(vectors).map((vector) => set(fromB[vector], load(get(atB), 4 * (PANEL * step + 4 * vector)))),
        ...range(rows).map((row) => [
          set(fromA, loadToAll(get(rowsOfA[row]), 4 * step)),
          ...range(vectors).map((vector) => set(sumOf(row, vector), add(get(sumOf(row, vector)), get(fromA), get(fromB[vector])))),
        ]),
      ]),
      set(atB, plus(get(atB), number(4 * PANEL * count))),
      ...range(rows).map((row) => set(rowsOfA[row], plus(get(rowsOfA[row]), number(4 * count)))),
      set(left, minus(get(left), number(count))),
    ];
    const enough = (count) => atLeast(get(left), number(count));
    return [
      ...sums.slice(0, rows * vectors).map((one) => set(one, ZERO)),
      ...range(rows).map((row) => set(rowsOfA[row], row ? plus(get(rowsOfA[row - 1]), strideOfA) : a)),
      set(atB, plus(b, number(4 * first))),
      set(left, steps),
      ...[UNROLLED, 1].map((count) => when(enough(count), loopWhile(enough(count), ...some(count)))),
      ...range(rows).map((row) => [
        set(atC, row ? plus(get(atC), strideOfC) : c),
        ...range(vectors).map((vector) => written(first + 4 * vector, result(get(sumOf(row, vector)), row))),
      ]),
    ];
  };

  /** Four columns of C, or as many as there are. */
  function written(column, value) {
    const there = (count) => atLeast(columns, number(column + count));
    const whole = store(get(atC), 4 * column, adds ? sum(get(fromA), load(get(atC), 4 * column)) : get(fromA));
    const ones = range(3).map((i) => {
      const [one, offset] = [lane(get(fromA), i), 4 * (column + i)];
      return when(there(i + 1), storeOne(get(atC), offset, adds ? sumOfOne(one, loadOne(get(atC), offset)) : one));
    });
    return [set(fromA, value), either(there(4), whole, ones)];
  }
}
