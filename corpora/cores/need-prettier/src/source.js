'use strict';

// A generated client library, as tools write them: one very large file.
function operation(n) {
  return `export async function operation${n}(client, { id, filter = {}, page = ${n % 10}, ...options } = {}) {
const url = \`/api/v2/items${n}/\${encodeURIComponent(id)}?page=\${page}\`, headers = { accept: 'application/json', 'x-operation': 'operation${n}', ...options.headers };
const response = await client.request({ method: ${n % 3 ? "'GET'" : "'POST'"}, url, headers, body: Object.keys(filter).length > 0 ? JSON.stringify({ filter, operation: ${n} }) : undefined });
if (response.status === 404) return null; else if (response.status >= 400) throw new ApiError(response.status, await response.text(), { url, operation: 'operation${n}', retry: response.status >= 500 });
const items = (await response.json()).items.map((item) => ({ ...item, id: Number(item.id), tags: (item.tags ?? []).filter((tag) => tag.startsWith('t${n}')).sort() }));
return options.first ? items[0] : items;
}
`;
}

const generatedSource = (count) => Array.from({ length: count }, (_, n) => operation(n)).join('\n');

module.exports = { generatedSource };
