import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, it, vi } from 'vitest';

import { TagsField } from '../../src/ui/TagsField';

function Words({ told }: { told: (values: string[]) => void }) {
  const [values, setValues] = useState<readonly string[]>(['first']);
  return (
    <TagsField
      label="Groups"
      values={values}
      suggestions={['apps', 'batch']}
      onChange={(next) => {
        told(next);
        setValues(next);
      }}
    />
  );
}

const shown = () => screen.getAllByRole('row').map((each) => each.textContent);

function show() {
  const told = vi.fn();
  render(<Words told={told} />);
  return { told, box: screen.getByRole('combobox', { name: 'Groups' }), user: userEvent.setup() };
}

it('takes a word with Enter', async () => {
  const { box, user } = show();
  await user.type(box, 'mine{Enter}');
  expect(shown()).toEqual(['first', 'mine']);
  expect(box).toHaveValue('');
});

it('takes the suggestion that is pointed at', async () => {
  const { box, user } = show();
  await user.type(box, 'ba{ArrowDown}{Enter}{Escape}');
  expect(shown()).toEqual(['first', 'batch']);
});

it('takes several that are pasted', async () => {
  const { box, user } = show();
  await user.click(box);
  await user.paste('one, two,first,');
  await user.keyboard('{Escape}');
  expect(shown()).toEqual(['first', 'one', 'two']);
});

it('takes what is typed when one leaves', async () => {
  const { box, user } = show();
  await user.type(box, 'left');
  await user.tab();
  expect(shown()).toEqual(['first', 'left']);
});

it('takes no word twice, and gives them back', async () => {
  const { told, box, user } = show();
  await user.type(box, 'first{Enter}');
  expect(told).not.toHaveBeenCalled();
  await user.keyboard('{Escape}');
  await user.click(screen.getByRole('button', { name: /Remove/ }));
  expect(told).toHaveBeenCalledWith([]);
});
