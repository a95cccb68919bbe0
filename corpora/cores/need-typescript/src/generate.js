'use strict';

const fs = require('fs');
const path = require('path');

const FIELDS = ['name', 'price', 'stock', 'created', 'owner', 'state', 'weight', 'colour'];
const TYPES = ['string', 'number', 'boolean', 'Date', 'string[]', 'Map<string, number>', "'new' | 'open' | 'done'", 'Promise<number>'];

// The source of one module, which needs the one before it.
function moduleSource(n) {
  const fields = FIELDS.map((field, i) => `  readonly ${field}${n}: ${TYPES[(n + i) % TYPES.length]};`).join('\n');
  const methods = FIELDS.map(
    (field, i) => `  async ${field}Of(id: string, limit = ${i}): Promise<Entity${n}['${field}${n}'] | undefined> {
    const found = this.entities.filter((entity) => entity.${field}${n} !== undefined).slice(0, limit);
    for (const entity of found) if (String(entity.${field}${n}) === id) return entity.${field}${n};
    return this.before?.length ? undefined : found.map((entity) => ({ ...entity, id })).find((entity) => entity.id === id)?.${field}${n};
  }`,
  ).join('\n\n');
  const before = n > 0 ? `import { Repository${n - 1}, type Entity${n - 1} } from './module${n - 1}';\n\n` : 'type EntityNone = never;\n\n';
  const previous = n > 0 ? `Entity${n - 1}` : 'EntityNone';
  return `${before}export interface Entity${n} {\n${fields}\n  readonly previous?: ${previous};\n}

export type Changes${n} = { [K in keyof Entity${n}]?: { from: Entity${n}[K]; to: Entity${n}[K] } };

export class Repository${n} {
  constructor(private readonly entities: Entity${n}[], readonly before?: ${previous}[]) {}

  diff(a: Entity${n}, b: Entity${n}): Changes${n} {
    const changes: Record<string, unknown> = {};
    for (const key of Object.keys(a) as (keyof Entity${n})[]) if (a[key] !== b[key]) changes[key] = { from: a[key], to: b[key] };
    return changes as Changes${n};
  }

${methods}
}
${n > 0 ? `\nexport const link${n} = (one: Repository${n - 1}) => [one, one.diff.length] as const;\n` : ''}`;
}

// Writes a project of COUNT modules; returns the paths of its files.
function generateProject(directory, count) {
  fs.mkdirSync(path.join(directory, 'src'), { recursive: true });
  const options = { target: 'es2020', module: 'commonjs', lib: ['es2020'], strict: true, declaration: true, outDir: 'out', types: [] };
  fs.writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['src'] }, null, 2));
  return Array.from({ length: count }, (_, n) => {
    const file = path.join(directory, 'src', `module${n}.ts`);
    fs.writeFileSync(file, moduleSource(n));
    return file;
  });
}

module.exports = { generateProject };
