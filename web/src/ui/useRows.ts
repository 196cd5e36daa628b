/** Rows of a table: sorted once for each change of the data, filtered for each keystroke, selected by identity. */

import { useMemo } from 'react';

export interface Sort {
  column: string;
  descending: boolean;
}

export interface Sortable<T> {
  id: string;
  /** What the column is sorted by; numbers as numbers, text as people sort it. */
  sortBy?: (row: T) => string | number;
  /** What a filter finds in the column. */
  text?: (row: T) => string;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

function compare(one: string | number, other: string | number): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return collator.compare(String(one), String(other));
}

/** Sorts by a column; equal rows stay in the order they came in. */
export function sortRows<T>(
  rows: readonly T[],
  columns: readonly Sortable<T>[],
  sort: Sort,
): readonly T[] {
  const by = columns.find((each) => each.id === sort.column)?.sortBy;
  if (!by) return rows;
  const sign = sort.descending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: by(row) }))
    .sort((one, other) => sign * compare(one.value, other.value))
    .map((each) => each.row);
}

export interface Searchable<T> {
  row: T;
  text: string;
}

export function searchable<T>(
  rows: readonly T[],
  columns: readonly Sortable<T>[],
): Searchable<T>[] {
  const texts = columns.flatMap((each) => (each.text ? [each.text] : []));
  return rows.map((row) => ({
    row,
    text: texts
      .map((each) => each(row))
      .join('\n')
      .toLowerCase(),
  }));
}

/** The rows in which every word of the filter is found, in whatever column. */
export function filterRows<T>(rows: readonly Searchable<T>[], filter: string): T[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length
    ? rows.filter((each) => words.every((word) => each.text.includes(word)))
    : rows;
  return found.map((each) => each.row);
}

export function useRows<T>(
  rows: readonly T[],
  columns: readonly Sortable<T>[],
  sort: Sort,
  filter: string,
): T[] {
  const sorted = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort]);
  const texts = useMemo(() => searchable(sorted, columns), [sorted, columns]);
  return useMemo(() => filterRows(texts, filter), [texts, filter]);
}
