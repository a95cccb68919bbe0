'use strict';

class Notes {
  constructor(path) {
    this.path = path;
    this.steps = [];
    this.timings = new Array(40).fill(0);
  }
}

// Notes by request, "so that nothing can leak". The leak: `arrivals` was added for the order of arrival; it holds the
// requests, and so the WeakMap holds their notes.
const notesByRequest = new WeakMap();
const arrivals = [];

function notesFor(request) {
  let notes = notesByRequest.get(request);
  if (!notes) {
    notes = new Notes(request.path);
    notesByRequest.set(request, notes);
    arrivals.push(request);
  }
  return notes;
}

module.exports = { Notes, notesFor, arrived: () => arrivals.length };
