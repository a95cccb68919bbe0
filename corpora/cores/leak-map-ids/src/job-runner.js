'use strict';

const { catalog, metrics, recent } = require('./platform');
const { Job } = require('./job');

// All jobs by number, for "what became of job 17?". The leak: jobs that are done stay here.
const jobsById = new Map();

class JobRunner {
  #lastId = 0;
  #waiting = [];

  get submitted() {
    return this.#lastId;
  }

  submit(kind, options) {
    const job = new Job(++this.#lastId, kind, options, catalog.at(this.#lastId));
    jobsById.set(job.id, job);
    this.#waiting.push(job);
    return job.id;
  }

  runNext() {
    const job = this.#waiting.shift();
    if (!job) return false;
    job.run();
    recent.push({ id: job.id, state: job.state });
    metrics.observe(job.kind, job.result.bytes);
    return true;
  }

  stateOf(id) {
    return jobsById.get(id)?.state;
  }
}

module.exports = { JobRunner };
