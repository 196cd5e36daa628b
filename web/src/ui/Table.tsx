import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useRef, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { Checkbox } from './Fields';
import { useMedia } from './useMedia';
import type { Sort, Sortable } from './useRows';
import './table.css';

export interface Column<T> extends Sortable<T> {
  header: string;
  cell: (row: T) => ReactNode;
  /** A CSS width; columns without one share what is left. */
  width?: string;
  align?: 'end';
  /** The narrowest page on which the column is shown; without one it always is. */
  from?: 'medium' | 'wide';
  /** On a narrow page: a second line, for what has no column there. Its column takes what is left. */
  below?: (row: T) => ReactNode;
}

export interface TableProps<T> {
  label: string;
  /** Sorted and filtered already: see `useRows`. */
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowId: (row: T) => string;
  rowName: (row: T) => string;
  sort: Sort;
  onSort: (sort: Sort) => void;
  /** Ids of what is selected; without it nothing can be. */
  selected?: ReadonlySet<string>;
  onSelect?: (selected: ReadonlySet<string>) => void;
  /** The last cell of a row: its menu. */
  menu?: (row: T) => ReactNode;
  /** Shown in place of rows where there are none. */
  empty?: ReactNode;
}

const ROW = 41;
const TALL_ROW = 57;

/** A table of any length: only the rows that are in sight are in the document. */
export function Table<T>(props: TableProps<T>) {
  const { label, rows, columns, rowId, sort, onSort, empty } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useMedia('(max-width: 640px)');
  const medium = useMedia('(min-width: 761px)');
  const wide = useMedia('(min-width: 1080px)');
  const shown = columns.filter(
    (each) => each.from === undefined || (each.from === 'medium' ? medium : wide),
  );
  const height = narrow ? TALL_ROW : ROW;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (index) => {
      const row = rows[index];
      return row === undefined ? index : rowId(row);
    },
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const span =
    shown.length + Number(props.selected !== undefined) + Number(props.menu !== undefined);
  return (
    <div className="table-box" ref={scroller}>
      <table className="table" aria-label={label} aria-rowcount={rows.length + 1}>
        <Widths
          {...{ shown, narrow }}
          select={props.selected !== undefined}
          menu={props.menu !== undefined}
        />
        <Head {...props} {...{ shown, sort, onSort }} />
        <tbody>
          <Space height={before} span={span} />
          {items.map((item) => {
            const row = rows[item.index];
            return row === undefined ? null : (
              <Row
                key={item.key}
                {...props}
                {...{ row, shown, height, narrow }}
                index={item.index}
              />
            );
          })}
          <Space height={after} span={span} />
        </tbody>
      </table>
      {rows.length === 0 && empty}
    </div>
  );
}

interface WidthsProps<T> {
  shown: readonly Column<T>[];
  narrow: boolean;
  select: boolean;
  menu: boolean;
}

function Widths<T>(props: WidthsProps<T>) {
  const widthOf = ({ width, below }: Column<T>) =>
    width === undefined || (props.narrow && below) ? {} : { width };
  return (
    <colgroup>
      {props.select && <col style={{ width: 40 }} />}
      {props.shown.map((each) => (
        <col key={each.id} style={widthOf(each)} />
      ))}
      {props.menu && <col style={{ width: 48 }} />}
    </colgroup>
  );
}

function Space({ height, span }: { height: number; span: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden className="table-space">
      <td colSpan={span} style={{ height }} />
    </tr>
  );
}

function Head<T>(props: TableProps<T> & { shown: readonly Column<T>[] }) {
  const { rows, rowId, shown, sort, onSort, selected, onSelect } = props;
  const { t } = useTranslation();
  const some = selected !== undefined && rows.some((each) => selected.has(rowId(each)));
  const every = some && rows.every((each) => selected.has(rowId(each)));
  return (
    <thead>
      <tr aria-rowindex={1}>
        {selected && (
          <th scope="col" className="table-check">
            <Checkbox
              aria-label={t('common.selectAll')}
              checked={every}
              indeterminate={some && !every}
              disabled={rows.length === 0}
              onChange={(chosen) => onSelect?.(new Set(chosen ? rows.map(rowId) : []))}
            />
          </th>
        )}
        {shown.map((each) => (
          <Heading key={each.id} column={each} {...{ sort, onSort }} />
        ))}
        {props.menu && (
          <th scope="col">
            <span className="visually-hidden">{t('common.actions')}</span>
          </th>
        )}
      </tr>
    </thead>
  );
}

function Heading<T>(props: { column: Column<T>; sort: Sort; onSort: (sort: Sort) => void }) {
  const { column, sort, onSort } = props;
  const sorted = sort.column === column.id;
  const Arrow = sort.descending ? ArrowDown : ArrowUp;
  const order = sort.descending ? 'descending' : 'ascending';
  const align = column.align === 'end' ? 'table-end' : undefined;
  return (
    <th scope="col" className={align} {...(sorted && { 'aria-sort': order })}>
      {column.sortBy ? (
        <button
          type="button"
          className="table-sort"
          onClick={() => onSort({ column: column.id, descending: sorted && !sort.descending })}
        >
          {column.header}
          {sorted && <Arrow aria-hidden />}
        </button>
      ) : (
        column.header
      )}
    </th>
  );
}

interface RowProps<T> extends TableProps<T> {
  row: T;
  shown: readonly Column<T>[];
  index: number;
  height: number;
  narrow: boolean;
}

function Row<T>(props: RowProps<T>) {
  const { row, shown, index, height, narrow, rowId, rowName, selected, onSelect, menu } = props;
  const { t } = useTranslation();
  const id = rowId(row);
  const chosen = selected?.has(id) ?? false;
  const toggle = () => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect?.(next);
  };
  return (
    <tr aria-rowindex={index + 2} data-selected={chosen || undefined} style={{ height }}>
      {selected && (
        <td className="table-check">
          <Checkbox
            aria-label={t('common.selectRow', { name: rowName(row) })}
            checked={chosen}
            onChange={toggle}
          />
        </td>
      )}
      {shown.map((each) => (
        <td key={each.id} className={each.align === 'end' ? 'table-end' : undefined}>
          {each.cell(row)}
          {narrow && each.below && <div className="table-below truncate">{each.below(row)}</div>}
        </td>
      ))}
      {menu && <td className="table-menu">{menu(row)}</td>}
    </tr>
  );
}
