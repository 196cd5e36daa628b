export const account = {
  title: 'Account & API keys',
};
