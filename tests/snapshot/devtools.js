'use strict';

// devtools.js PACKAGES FILE... - loads heap snapshots with the heap worker of Chrome DevTools, in pieces, as DevTools itself
// does. PACKAGES: folder with node_modules (chrome-devtools-frontend, esbuild). Prints for each file a line of JSON: nodes,
// edges, size of all nodes; classes: [name, count, self size], largest first; retained: [id, name, bytes], largest first.
// Any error ends it with exit code 1.
const fs = require('fs');
const os = require('os');
const path = require('path');

const [packages, ...files] = process.argv.slice(2);
const WORKER = 'chrome-devtools-frontend/front_end/entrypoints/heap_snapshot_worker/heap_snapshot_worker.ts';

// Texts of the user interface come from files that only a build of DevTools has.
const withoutTexts = {
  name: 'without texts',
  setup(build) {
    build.onLoad({ filter: /core[/\\]i18n[/\\]i18n\.ts$/ }, () => ({
      contents: `const text = () => '', later = () => text;
        export const i18n = {serializeUIString: text, registerUIStrings: text, getLocalizedString: text, lockedString: text,
                             getLazilyComputedLocalizedString: later, lockedLazyString: later};`,
      loader: 'js',
    }));
  },
};

async function loadWorker() {
  const esbuild = require(require.resolve('esbuild', { paths: [packages] }));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'devtools-'));
  try {
    await esbuild.build({
      entryPoints: [path.join(packages, 'node_modules', WORKER)],
      outfile: path.join(folder, 'worker.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
      plugins: [withoutTexts],
    });
    return await import(path.join(folder, 'worker.mjs'));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

async function load({ HeapSnapshotLoader, HeapSnapshot }, file) {
  const loader = new HeapSnapshotLoader.HeapSnapshotLoader({ sendEvent() {} });
  const chunks = fs.createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 20 });
  for await (const chunk of chunks) loader.write(chunk);
  loader.close();
  const channel = new MessageChannel();
  new HeapSnapshot.SecondaryInitManager(channel.port2);
  const snapshot = await loader.buildSnapshot(channel.port1);
  channel.port1.close();
  return snapshot;
}

function describe(snapshot) {
  const classes = Object.values(snapshot.aggregatesWithFilter({}));
  const top = [...snapshot.retainedSizes.keys()].sort((a, b) => snapshot.retainedSizes[b] - snapshot.retainedSizes[a]);
  const nodes = top.slice(0, 50).map((index) => snapshot.createNode(index * snapshot.nodeFieldCount));
  return {
    nodes: snapshot.nodeCount,
    edges: snapshot.containmentEdges.length / 3,
    size: snapshot.totalSize,
    classes: classes.sort((a, b) => b.self - a.self || b.count - a.count).map(({ name, count, self }) => [name, count, self]),
    retained: nodes.map((node) => [node.id(), node.name().slice(0, 60), node.retainedSize()]),
  };
}

async function main() {
  const worker = await loadWorker();
  for (const file of files) console.log(JSON.stringify(describe(await load(worker, file))));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
