export const settings = {
  title: '设置',
  lead: '对整个平台有效的设置。所有人可以查看，由管理员修改。',
  changed: '已修改',
  default: '默认',
  defaultIs: '留空则使用默认值 {{value}}。',
  edit: '修改 {{name}}',
  none: '没有设置',
  noneHint: '平台自带设置。',
  readOnly: '只有管理员可以修改设置。',
  source: '来源',
  toDefault: '恢复默认值',
  value: '值',
};
