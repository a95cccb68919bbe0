'use strict';

const { devices } = require('./plant');
const { Recording } = require('./recording');

// Closes recordings that nobody uses any more.
const forgotten = new FinalizationRegistry((close) => close());

// The leak: the held value is a function that needs the recording, so the registry itself keeps the recording, and it
// is never forgotten.
function openRecording(number) {
  const recording = new Recording(devices.get(number), number);
  forgotten.register(recording, () => recording.close());
  return recording;
}

module.exports = { openRecording };
