// plant.js PROGRAM CORE CORPORA - secrets, contents, users, hosts and addresses planted wherever an input can have them, and what is left of
// them in each output. Marks: see corpora/cores/secrets/README.md; the files of the corpus get theirs here, one for each field.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const { execFile } = require('child_process');

const [program, core, corpora] = process.argv.slice(2);
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'plant-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));

// ---- marks ----

let number = 1000;
const about = new Map(); // mark -> where it was planted

function mark(kind, where) {
  const text = `${kind}${number++}`;
  about.set(text, where);
  return text;
}

// Behind a text: what a pattern can see. In a message: content, too.
function suffix(where, content) {
  const address = `10.77.${number % 250}.${(number >> 3) % 250}`;
  return ` 02:77:00:00:00:01 token=${mark('SEKRETX', where)} ${address} /home/${mark('PLANTED', where)}/x db.${mark('PLANTED', where)}.internal` +
    ` ${content ? mark('KONTENT', where) : 'end'}`;
}

function write(name, text) {
  const file = path.join(work, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
}

function newest(folder, end) {
  return fs.readdirSync(folder).filter((name) => /^\d/.test(name) && name.endsWith(end)).sort().pop();
}

// ---- JSON: every text leaf ----

const CONTENT = /\.(message|errorProperties\..*|environmentVariables\..*|commandLine\.[1-9]\d*)$/;
const HOSTS = /\.(host|mac|address|ip4|ip6|podIP|hostIP|nodeName)$/;

// variant "behind": something behind each text. "inside": names of hosts, paths and functions are replaced themselves, so that
// what is parsed stays what it is.
function plant(value, where, variant, keep) {
  if (Array.isArray(value)) return value.map((item, i) => plant(item, `${where}.${i}`, variant, keep));
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plant(item, `${where}.${key}`, variant, keep)]));
  if (typeof value !== 'string' || keep.test(where)) return value;
  if (variant === 'behind') return value + suffix(where, CONTENT.test(where));
  if (HOSTS.test(where)) return `${mark('PLANTED', where)}-host`;
  if (/environmentVariables/.test(where)) return /PASS|TOKEN|SECRET|KEY/.test(where) ? mark('SEKRETX', where) : `/home/${mark('PLANTED', where)}`;
  return value.replace(/(\/srv|\/app|\/home\/[a-z]+|\/usr\/local)\//g, () => `/home/${mark('PLANTED', where)}/`);
}

const STRUCTURE = /\.(trigger|dumpEventTime\w*|type|reportVersion|nodejsVersion|apiVersion|kind|phase|restartPolicy|startedAt|finishedAt|startTime|memory|cpu|name|schema|event|family|arch|signal)$/;

function planted(file, name) {
  const json = JSON.parse(fs.readFileSync(file, 'utf8'));
  return ['behind', 'inside'].map((variant) =>
    write(`${variant}-${name}`, JSON.stringify(plant(json, name, variant, STRUCTURE), null, 2)));
}

// ---- the other kinds ----

function plantedProfile(file, name) {
  const json = JSON.parse(fs.readFileSync(file, 'utf8'));
  const visit = (node) => {
    const frame = node.callFrame;
    if (frame.url && !frame.url.startsWith('node:')) frame.url = `https://ci:${mark('SEKRETX', 'url')}@cdn.${mark('PLANTED', 'url')}.example.com/home/${mark('PLANTED', 'url')}/a.js?token=${mark('SEKRETX', 'url')}`;
    else if (frame.functionName) frame.functionName += ` token=${mark('SEKRETX', 'function')}`;
    (node.children || []).forEach((child) => typeof child === 'object' && visit(child));
  };
  if (json.head) visit(json.head);
  else json.nodes.forEach(visit);
  return write(name, JSON.stringify(json));
}

function plantedLog(file, name) {
  const text = fs.readFileSync(file, 'utf8');
  const lines = text.split('\n').map((line, i) => (/^\s*at |FATAL|Error|throw|^\/|Mark|Scav/.test(line) ? line + suffix(`${name}:${i + 1}`, false) : line));
  const error = `/home/${mark('PLANTED', name)}/app.js:3\n  throw new Error('${mark('KONTENT', name)} password=${mark('SEKRETX', name)}');\n  ^\n\n` +
    `TypeError: ${mark('KONTENT', name)} cannot reach db.${mark('PLANTED', name)}.internal:5432 password=${mark('SEKRETX', name)}\n` +
    `    at connect (/home/${mark('PLANTED', name)}/app.js:3:9)\n    at https://u:${mark('SEKRETX', name)}@cdn.${mark('PLANTED', name)}.example.com/x.js:1:2\n\nNode.js v22.23.3\n`;
  return [write(name, lines.join('\n')), write(`error-${name}`, error)];
}

// ---- looking ----

let failures = 0, runs = 0;
const seen = new Set(); // marks that --redact=none showed

const OUTSIDE = /SEKRETX\d+/g, SECRETS = /SEKRET[XH]\d+/g, ALL = /SEKRET[XH]\d+|KONTENT\d+|PLANTED\w*|10\.77\.\d+\.\d+|02:77:[0-9a-f:]+/g;

function check(words, output, pattern) {
  const found = [...new Set(output.match(pattern) || [])];
  if (!found.length) return;
  failures++;
  if (failures > 40) return;
  const line = output.split('\n').find((text) => text.includes(found[0])) || '';
  const at = Math.max(0, line.indexOf(found[0]) - 80);
  console.log(`${words.join(' ')}\n    shows ${found.slice(0, 5).map((text) => `${text} (${about.get(text) || 'core'})`).join(', ')}: …${line.slice(at, at + 200)}…`);
}

function run(words, level, format) {
  const all = [...words, '--format', format, ...(level === 'default' ? [] : [`--redact=${level}`])];
  return new Promise((resolve) => execFile(program, all, { maxBuffer: 1 << 28, cwd: work }, (error, out, err) => {
    const text = out + err;
    runs++;
    if (/Sanitizer|runtime error/.test(err) || (error && (error.signal || ![1, 2].includes(error.code)))) {
      failures++;
      console.log(`${all.join(' ')}: ${error && (error.signal || error.code)} ${err.slice(0, 2000)}`);
    }
    if (level === 'none') for (const found of text.match(ALL) || []) seen.add(found);
    if (level === 'strict') check(all, text, ALL);
    if (level === 'default') check(all, text, format === 'html' || format === 'markdown' ? SECRETS : OUTSIDE);
    resolve(text);
  }));
}

const queue = [];
function every(words, formats) {
  for (const format of formats) for (const level of ['strict', 'default']) queue.push([words, level, format]);
  queue.push([words, 'none', 'json']);
}

// One object of each kind that has something to hide.
async function coreCommands() {
  const json = JSON.parse(await run(['objects', core, '--class', 'Account', '--limit', '3'], 'none', 'json'));
  const account = json.objects.instances[0].address;
  const error = JSON.parse(await run(['objects', core, '--class', 'Error', '--limit', '2'], 'none', 'json')).objects.instances[0].address;
  const closure = JSON.parse(await run(['dominators', core], 'none', 'json'));
  const map = JSON.stringify(closure).match(/"address":"(0x[0-9a-f]+)","class":"Map"/);
  every([core], ['text', 'json', 'markdown', 'html']);
  every(['stacks', core, '-v'], ['text', 'json', 'markdown']);
  every(['dominators', core], ['text', 'markdown']);
  every(['histogram', core, '--by', 'script'], ['text']);
  every(['objects', core, '--class', 'Account', '--limit', '20'], ['text', 'markdown']);
  every(['objects', core, '--class', '(string)', '--limit', '100'], ['text', 'markdown']);
  every(['objects', core, '--class', '(regexp)', '--limit', '50'], ['text']);
  every(['objects', core, '--class', '(symbol)', '--limit', '50'], ['text']);
  every(['strings', core, '--limit', '50'], ['text', 'markdown']);
  for (const object of [account, error, map && map[1]].filter(Boolean)) {
    every(['inspect', core, object], ['text', 'markdown']);
    every(['retainers', core, object], ['text', 'json', 'markdown']);
  }
}

async function main() {
  const reports = ['api', 'excluded', 'compact-workers', 'uncaught-in-package', 'rejection-value', 'port-in-use', 'connection-refused',
    'many-sockets', 'oom', 'oom-worker', 'secrets', 'signal-idle', 'container-full', 'second-library', 'module-missing']
    .map((name) => [name, path.join(corpora, 'reports', name, newest(path.join(corpora, 'reports', name), '.json'))]);
  const facts = [];
  for (const [name, file] of reports) facts.push(...planted(file, `${name}.json`));
  for (const name of fs.readdirSync(path.join(corpora, 'pods'))) facts.push(...planted(path.join(corpora, 'pods', name, 'pod.json'), `pod-${name}.json`));
  for (const kind of ['heapprofile', 'cpuprofile']) facts.push(plantedProfile(path.join(corpora, 'profiles', 'work', `22.23.3.${kind}`), `work.${kind}`));
  for (const name of ['oom', 'exception', 'rejection', 'worker-oom', 'verbose']) {
    const file = newest(path.join(corpora, 'logs', name), '.log');
    facts.push(...plantedLog(path.join(corpora, 'logs', name, file), `${name}.log`));
  }
  facts.forEach((file, i) => every([file], i % 3 ? ['json'] : ['text', 'markdown', 'html']));
  const together = facts.filter((file) => /(oom|exception|uncaught)/.test(file));
  every(together, ['text', 'json', 'markdown', 'html']);
  every(['batch', path.join(work)], ['text', 'json', 'markdown', 'html']);
  for (const profile of facts.filter((file) => /profile$/.test(file)))
    every(['export', profile, '--as', 'folded', '-o', '/dev/stdout'], ['text']);
  // The name and place of a file, and errors about it.
  const home = `/tmp/${path.basename(work)}`;
  const broken = write(`home/PLANTEDCAROL/token=${mark('SEKRETX', 'file name')}.json`, '{"header": {"reportVersion": 3, "event": "x", ');
  const nothing = write('home/PLANTEDDAVE/nothing.bin', 'no input at all \x00\x01\x02');
  every([broken], ['text', 'json']);
  every([nothing], ['text', 'json']);
  every([path.join(home, 'home/PLANTEDERIN/not-there')], ['text', 'json']);
  if (core) await coreCommands();
  const worker = async () => {
    for (let job; (job = queue.shift());) await run(...job);
  };
  await Promise.all([worker(), worker()]);
  const shown = [...about.keys()].filter((text) => seen.has(text)).length;
  console.log(`${runs} runs; ${about.size} marks in files, of which --redact=none showed ${shown}, ${[...seen].length - shown} others; ${failures} leaks`);
  if (shown < about.size / 3) {
    console.log('too few of them were shown at all: the test looks at nothing');
    failures++;
  }
  process.exitCode = failures ? 1 : 0;
}

main();
