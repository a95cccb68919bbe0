'use strict';

// A project of COUNT modules that are made up when they are asked for.
function moduleSource(n, count) {
  const imports = [];
  for (let i = 1; i <= 4; i++) if (n * 4 + i < count) imports.push(`import { value${n * 4 + i}, shape${n * 4 + i} } from './module${n * 4 + i}';`);
  const used = imports.map((_, i) => `value${n * 4 + i + 1}(input + ${i})`).join(' + ') || 'input';
  return `${imports.join('\n')}

export const shape${n} = { name: 'module${n}', size: ${n % 90}, tags: ['part', 'module${n}', ${n} % 2 ? 'odd' : 'even'] };

export class Widget${n} {
  #count = 0;

  constructor(options = {}) {
    this.options = { colour: 'grey', width: ${n % 300}, ...options };
  }

  get count() {
    return this.#count;
  }

  render(target) {
    for (const [key, value] of Object.entries(this.options)) {
      if (typeof value === 'number' && value > ${n % 50}) target.set(key, value * 2);
      else if (Array.isArray(value)) value.forEach((one, i) => target.set(key + i, one));
      else target.set(key, String(value));
    }
    this.#count++;
    return target;
  }
}

export function value${n}(input) {
  const widget = new Widget${n}(shape${n});
  const result = widget.render(new Map());
  switch (input % 3) {
    case 0: return result.size + ${used};
    case 1: return widget.count * 2;
    default: return [...result.keys()].filter((key) => key.length > ${n % 7}).length;
  }
}
`;
}

// A plugin of rollup for this project.
function projectPlugin(count, hooks = {}) {
  return {
    name: 'project',
    resolveId: (source) => `/srv/project/src/${source.replace(/^.*\//, '').replace(/\.js$/, '')}.js`,
    load: (id) => moduleSource(Number(/module(\d+)\.js$/.exec(id)[1]), count),
    ...hooks,
  };
}

module.exports = { projectPlugin };
