'use strict';

const { devices, texts } = require('./plant');
const { RpcClient } = require('./rpc-client');

// One device in three answers.
const fieldbus = {
  send(frame, onReply) {
    if (frame.params.device % 3 === 0) onReply({ id: frame.id, result: { pressure: frame.params.device / 10 } });
  },
};

const rpc = new RpcClient(fieldbus);

class Controller {
  calls = 0;
  refreshed = 0;

  async refresh(number) {
    this.calls++;
    const device = devices.get(number);
    const plan = { started: number, steps: ['ask', 'record', 'show'], help: texts[`en.${number % 600}`].help };
    const state = await rpc.call('state', { device: device.id, fields: ['pressure', 'flow', 'valve'] });
    device.record(state.pressure);
    this.refreshed += plan.steps.length;
  }
}

module.exports = { Controller, rpc };
