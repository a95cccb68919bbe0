'use strict';

// One of everything that can be in a JavaScript heap, most of it more than once. Used by the cases whose truth is a
// complete list of the heap; the number of instances of each user class is in `counts`.

const { EventEmitter } = require('events');
const vm = require('vm');

const USER_SESSIONS = 20_000;

class UserSession {
  constructor(id) {
    this.id = id;
    this.user = `user-${id}`;
    this.createdAt = new Date(1700000000000 + id);
  }
}

class Shape {
  #secret = 'private field';
  static origin = { x: 0, y: 0 };

  constructor(name) {
    this.name = name;
  }

  get secret() {
    return this.#secret;
  }
}

class Circle extends Shape {
  constructor(radius) {
    super('circle');
    this.radius = radius;
    this.weight = radius * 1.5;
  }
}

function LegacyAccount(owner) {
  this.owner = owner;
  this.balance = -1.25;
}
LegacyAccount.prototype.deposit = function deposit(amount) {
  this.balance += amount;
};

function times(count, make) {
  return Array.from({ length: count }, (_, i) => make(i));
}

function strings() {
  const parent = 'the quick brown fox jumps over the lazy dog. '.repeat(2000);
  const twoByteParent = 'Жълтата дюля беше щастлива, че пухът замръзна. '.repeat(500);
  let cons = '';
  for (let i = 0; i < 5000; i++) cons += `part ${i};`;
  let twoByteCons = 'старт';
  for (let i = 0; i < 500; i++) twoByteCons += `→${i}`;
  return {
    parent,
    twoByteParent,
    cons,
    twoByteCons,
    sliced: times(300, (i) => parent.slice(i * 10, i * 10 + 40)),
    twoByteSliced: times(50, (i) => twoByteParent.slice(i * 5, i * 5 + 30)),
    // Long enough that node keeps them outside the heap, as external strings.
    external: Buffer.alloc(1_600_000, 'abc').toString('latin1'),
    twoByteExternal: Buffer.alloc(2_000_000, 'яю').toString('utf16le'),
    internalized: Object.keys(JSON.parse('{"anUnusualKey":1,"другКлюч":2}')),
    duplicates: times(200, () => ['a value that', 'occurs often'].join(' ')),
    latin1: times(100, (i) => `café ${i}`),
    twoByte: times(100, (i) => `кафе ${i}`),
  };
}

function numbers() {
  return {
    smi: times(100, (i) => i),
    doubles: times(1000, (i) => i + 0.5),
    heapNumbers: times(200, (i) => ({ value: i * 1.1 })),
    holeyDoubles: [1.5, , 2.5, , 3.5],
    bigints: times(100, (i) => 2n ** BigInt(i * 7)),
    negativeBigint: -(10n ** 50n),
  };
}

function objects() {
  const dictionary = {};
  for (let i = 0; i < 3000; i++) dictionary[`key${i}`] = i;
  delete dictionary.key7;
  const sparse = [];
  sparse[5_000_000] = 'far away';
  const numbered = {};
  for (let i = 0; i < 200; i++) numbered[i * 1000] = i;
  const accessors = {
    get now() {
      return 1;
    },
    set now(value) {},
  };
  return {
    dictionary,
    sparse,
    numbered,
    accessors,
    frozen: Object.freeze({ a: 1, b: [2, 3] }),
    sealed: Object.seal([1, 'two', 3.5]),
    nullPrototype: Object.assign(Object.create(null), { a: 1 }),
    manyProperties: times(50, (i) => ({ a: i, b: i, c: i, ['extra' + (i % 5)]: i })),
    literals: times(100, (i) => ({ id: i, nested: { deep: { deeper: i } } })),
    bigArray: new Array(100_000).fill('x'),
    nestedArrays: times(100, (i) => [i, [i, [i]]]),
    holey: [1, , 'three', , {}],
    boxed: [Object(1), Object('s'), Object(true), Object(Symbol('boxed')), Object(1n)],
    errors: times(20, (i) => new RangeError(`error ${i}`)),
    aggregate: new AggregateError([new Error('one')], 'several'),
    symbols: times(50, (i) => Symbol(`symbol ${i}`)),
    registered: Symbol.for('a registered symbol'),
    symbolKeyed: { [Symbol('own key')]: 1 },
    arguments: (function () {
      return arguments;
    })(1, 2, 3),
    sloppyArguments: new Function('a', 'b', 'a = 9; return arguments')(1, 2),
    regexps: times(30, (i) => new RegExp(`^item-${i}(?<rest>.*)$`, 'u')),
    matches: times(10, (i) => /(\d+)-(\d+)/.exec(`10${i}-20`)),
    dates: times(100, (i) => new Date(i * 1e9)),
    intl: [new Intl.NumberFormat('en'), new Intl.Collator('de')],
  };
}

function collections() {
  const map = new Map(times(2000, (i) => [`key ${i}`, { i }]));
  for (let i = 0; i < 500; i++) map.delete(`key ${i}`);
  const set = new Set(times(1000, (i) => i));
  const weakKeys = times(200, (i) => ({ weakKey: i }));
  const registry = new FinalizationRegistry(() => {});
  weakKeys.forEach((key) => registry.register(key, 'gone', key));
  return {
    map,
    set,
    smallMaps: times(50, (i) => new Map([[i, i]])),
    smallSets: times(50, (i) => new Set([i])),
    iterators: [map.entries(), set.values(), [1, 2][Symbol.iterator](), 'text'[Symbol.iterator]()],
    weakKeys,
    weakMap: new WeakMap(weakKeys.map((key, i) => [key, { i }])),
    weakSet: new WeakSet(weakKeys),
    weakRefs: weakKeys.slice(0, 100).map((key) => new WeakRef(key)),
    deadWeakRefs: times(10, (i) => new WeakRef({ shortLived: i })),
    registry,
  };
}

function binary() {
  return {
    arrayBuffers: times(20, (i) => new ArrayBuffer(1000 * (i + 1))),
    shared: new SharedArrayBuffer(4096),
    int8: new Int8Array(10),
    uint8: new Uint8Array(100),
    clamped: new Uint8ClampedArray(16),
    int16: new Int16Array(1000),
    uint16: new Uint16Array(10),
    int32: new Int32Array(10),
    uint32: new Uint32Array(10),
    float32: new Float32Array(10),
    floats: times(40, (i) => new Float64Array(i + 1)),
    bigint64: new BigInt64Array(10),
    biguint64: new BigUint64Array(10),
    dataView: new DataView(new ArrayBuffer(64), 8, 16),
    buffers: times(100, (i) => Buffer.from(`buffer number ${i}`)),
    bigBuffer: Buffer.alloc(1_000_000),
  };
}

function* countUp() {
  for (let i = 0; ; i++) yield i;
}

async function* asyncCountUp() {
  for (let i = 0; ; i++) yield await i;
}

async function waitsForever(name) {
  const started = { name };
  await new Promise(() => {});
  return started;
}

function functions() {
  function makeCounter(step) {
    let count = 0;
    const label = `counter ${step}`;
    return () => `${label}: ${(count += step)}`;
  }
  const generator = countUp();
  generator.next();
  const finished = (function* () {})();
  finished.next();
  const asyncGenerator = asyncCountUp();
  asyncGenerator.next();
  return {
    closures: times(500, makeCounter),
    bound: times(100, (i) => makeCounter.bind(null, i)),
    proxies: times(50, (i) => new Proxy({ i }, { get: (target, key) => target[key] })),
    functionProxy: new Proxy(makeCounter, {}),
    revoked: (() => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    })(),
    generators: [generator, countUp(), finished, asyncGenerator],
    waiting: times(100, (i) => waitsForever(`task ${i}`)),
    evaluated: (0, eval)('(function evaluated(a) { return a + 1; })'),
  };
}

function promises() {
  const pending = new Promise(() => {});
  const rejected = Promise.reject(new Error('handled'));
  rejected.catch(() => {});
  return {
    fulfilled: times(100, (i) => Promise.resolve({ i })),
    rejected,
    pending,
    chained: times(100, (i) => pending.then(() => i)),
    all: Promise.all([pending, 1, 2]),
    race: Promise.race([pending]),
  };
}

function eventsAndTimers() {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  for (let i = 0; i < 50; i++) emitter.on('tick', () => i);
  return {
    emitter,
    timeouts: times(20, (i) => setTimeout(() => {}, 1e6 + i)),
    interval: setInterval(() => {}, 1e6),
    controller: new AbortController(),
    url: new URL('https://example.com/path?query=1#hash'),
  };
}

function contexts() {
  const sandbox = vm.createContext({ answer: 42, list: [1, 2, 3] });
  vm.runInContext('class Inner { constructor() { this.n = answer; } }; var made = [new Inner(), new Inner()];', sandbox);
  return { sandbox, script: new vm.Script('1 + 1', { filename: 'small-script.js' }) };
}

// (module $empty (func (export "run") (result i32) i32.const 7))
const WASM = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 114, 117, 110, 0, 0, 10, 6, 1, 4, 0,
  65, 7, 11];

function wasm() {
  const module = new WebAssembly.Module(new Uint8Array(WASM));
  const instance = new WebAssembly.Instance(module);
  instance.exports.run();
  return { module, instance, memory: new WebAssembly.Memory({ initial: 1 }) };
}

const population = {
  sessions: times(USER_SESSIONS, (i) => new UserSession(i)),
  shapes: times(1000, (i) => new Circle(i)),
  shape: new Shape('plain'),
  accounts: times(700, (i) => new LegacyAccount(i)),
  subclassed: [new (class TaggedMap extends Map {})([[1, 2]]), new (class Stack extends Array {})(5)],
  strings: strings(),
  numbers: numbers(),
  objects: objects(),
  collections: collections(),
  binary: binary(),
  functions: functions(),
  promises: promises(),
  eventsAndTimers: eventsAndTimers(),
  contexts: contexts(),
  wasm: wasm(),
};

module.exports = {
  population,
  counts: { UserSession: USER_SESSIONS, Circle: 1000, Shape: 1, LegacyAccount: 700, TaggedMap: 1, Stack: 1, Inner: 2 },
};
