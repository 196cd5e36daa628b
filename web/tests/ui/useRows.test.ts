import { expect, it } from 'vitest';

import { filterRows, searchable, sortRows } from '../../src/ui/useRows';

const columns = [
  {
    id: 'name',
    sortBy: (row: { name: string; size: number }) => row.name,
    text: (row: { name: string; size: number }) => row.name,
  },
  { id: 'size', sortBy: (row: { name: string; size: number }) => row.size },
];
const rows = [
  { name: 'team-10', size: 2 },
  { name: 'Team-2', size: 2 },
  { name: 'apple', size: 1 },
];

it('sorts as people do, and keeps the order of equals', () => {
  const names = (sort: { column: string; descending: boolean }) =>
    sortRows(rows, columns, sort).map((each) => each.name);
  expect(names({ column: 'name', descending: false })).toEqual(['apple', 'Team-2', 'team-10']);
  expect(names({ column: 'size', descending: true })).toEqual(['team-10', 'Team-2', 'apple']);
});

it('finds rows by every word of the filter, in any column', () => {
  const find = (filter: string) =>
    filterRows(searchable(rows, columns), filter).map((each) => each.name);
  expect(find('TEAM 2')).toEqual(['Team-2']);
  expect(find('  ')).toHaveLength(3);
  expect(find('2 apple')).toEqual([]);
});

it('filters ten thousand rows well within a keystroke', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({
    name: `team-${index}`,
    size: index,
  }));
  const texts = searchable(sortRows(many, columns, { column: 'name', descending: false }), columns);
  const start = performance.now();
  const found = filterRows(texts, 'team 99');
  expect(performance.now() - start).toBeLessThan(50);
  expect(found.length).toBeGreaterThan(100);
});
