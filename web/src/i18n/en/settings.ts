export const settings = {
  title: 'Settings',
  lead: 'What holds for the whole platform. Everybody reads it, administrators change it.',
  changed: 'Changed',
  default: 'Default',
  defaultIs: 'Empty: the default counts, {{value}}.',
  edit: 'Change {{name}}',
  none: 'There are no settings',
  noneHint: 'The platform brings its own with it.',
  readOnly: 'Only administrators change settings.',
  source: 'Source',
  toDefault: 'Back to the default',
  value: 'Value',
};
