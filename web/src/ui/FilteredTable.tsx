import { SearchX } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { SearchField } from './Fields';
import { Empty } from './Page';
import { Table, type TableProps } from './Table';
import { useRows, type Sort } from './useRows';

export interface FilteredTableProps<T> extends Omit<TableProps<T>, 'sort' | 'onSort'> {
  /** How it is sorted at first. */
  by: Sort;
  /** Beside the filter: what can be done with what is chosen. */
  deeds?: ReactNode;
  /** At the end of that line. */
  tools?: ReactNode;
}

/** A table with a filter above it, and what is said where nothing matches. */
export function FilteredTable<T>(props: FilteredTableProps<T>) {
  const { by, deeds, tools, rows, empty, ...rest } = props;
  const { t } = useTranslation();
  const [filter, setFilter] = useState('');
  const [sort, setSort] = useState(by);
  const shown = useRows(rows, rest.columns, sort, filter);
  return (
    <>
      <div className="table-tools">
        <SearchField
          label={t('common.filter')}
          placeholder={t('common.filterPlaceholder')}
          value={filter}
          onChange={setFilter}
        />
        {deeds}
        <span className="grow" />
        {filter !== '' && (
          <span className="muted numeric" role="status">
            {t('common.matches', { shown: shown.length, count: rows.length })}
          </span>
        )}
        {tools}
      </div>
      <Table
        {...rest}
        rows={shown}
        sort={sort}
        onSort={setSort}
        empty={
          filter === '' ? (
            empty
          ) : (
            <Empty
              icon={<SearchX aria-hidden />}
              title={t('common.nothingMatches', { text: filter })}
              hint={t('common.nothingMatchesHint')}
            />
          )
        }
      />
    </>
  );
}
