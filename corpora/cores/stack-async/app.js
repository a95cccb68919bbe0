'use strict';

// Async functions that have all been suspended: the frames above the first one are reached through their promises.
const { setTimeout: sleep } = require('timers/promises');
const { die } = require('./die');

class Repository {
  async load(id) {
    await sleep(2);
    return decode(id);
  }

  async *pages() {
    yield 1;
    yield await this.load(2);
  }
}

function decode(id) {
  check(id);
}

function check(id) {
  die();
}

async function readAll(repository) {
  const pages = [];
  for await (const page of repository.pages()) {
    pages.push(page);
  }
  return pages;
}

const collect = async (repository) => {
  try {
    return await readAll(repository);
  } finally {
    repository.closed = true;
  }
};

async function gather(repository) {
  await null;
  return await Promise.all([sleep(1000), collect(repository)]);
}

async function main() {
  await gather(new Repository());
}

main();
