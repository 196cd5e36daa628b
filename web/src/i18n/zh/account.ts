export const account = {
  title: '账户与 API 密钥',
};
