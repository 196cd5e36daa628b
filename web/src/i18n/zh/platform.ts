/** What the platform itself wrote into its objects, in English: found by that very text. */
export const platform: Readonly<Record<string, string>> = {
  // Namespaces
  'Where objects go that name no namespace. Not for production: ask for a namespace of your own.':
    '未指定命名空间的对象存放于此。不适用于生产环境：请申请您自己的命名空间。',
  'The heartbeat of every node: one Lease each.': '每个节点的心跳：各有一个 Lease。',
  'Facts about the cluster that anybody may read, also before signing in.':
    '任何人（包括未登录者）都可以读取的集群信息。',
  'What Kubernetes itself runs and keeps.': 'Kubernetes 自身运行和保存的内容。',
  'The dashboards that show the metrics of the platform.': '展示平台指标的仪表板。',
  'The database operators and the databases of the platform.': '平台的数据库 Operator 和数据库。',
  'GPU operators and device plugins, under the name that the documentation spells so.':
    'GPU Operator 和设备插件，使用文档中的拼写作为名称。',
  'GPU operators and device plugins: what makes accelerators schedulable.':
    'GPU Operator 和设备插件：使加速器可以被调度。',
  'Metrics, alerts and logs of the platform.': '平台的指标、告警和日志。',
  'Models, notebooks and services that are shared: every signed-in user reads them and calls the services. Not for production.':
    '共享的模型、Notebook 和服务：所有已登录用户都可以读取并调用这些服务。不适用于生产环境。',
  'The platform itself: its controllers, accounts, tokens and settings.':
    '平台自身：控制器、账户、令牌和设置。',
  'Storage operators and drivers: what volumes are made of.':
    '存储 Operator 和驱动：存储卷的来源。',
  'The plans and jobs that upgrade nodes and the platform.': '升级节点和平台的计划与任务。',
  // Roles
  'Reads everything in the namespace, logs and events included, but no Secrets.':
    '读取命名空间中的所有内容，包括日志和事件，但不包括 Secret。',
  'Makes, changes and deletes what runs in the namespace; its members and roles it only reads.':
    '创建、修改和删除命名空间中运行的内容；对成员和角色只能读取。',
  'As an editor, and manages the members and roles of the namespace.':
    '拥有编辑者的权限，并管理命名空间的成员和角色。',
  'Reads everything in a namespace but its Secrets, and calls its services.':
    '读取命名空间中除 Secret 以外的所有内容，并调用其中的服务。',
  "Everything, except what nobody may do to the platform's own namespaces.":
    '拥有全部权限，但任何人都不能对平台自身的命名空间执行的操作除外。',
  'Reads what belongs to the whole cluster; what it may do in a namespace, a role there says.':
    '读取属于整个集群的内容；在命名空间中的权限由该处的角色决定。',
  // Settings
  'How long a session of the web page lasts without a request: a number and m, h or d.':
    '网页会话在没有请求时保持多久：一个数字加 m、h 或 d。',
  'How long a session of the web page lasts at most, however much it is used: a number and m, h or d.':
    '无论使用多少，网页会话最长保持多久：一个数字加 m、h 或 d。',
};
