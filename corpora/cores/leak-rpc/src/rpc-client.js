'use strict';

class Call {
  constructor(id, method, params) {
    this.id = id;
    this.method = method;
    this.params = params;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

class RpcClient {
  #nextId = 0;
  #inFlight = new Map();

  constructor(transport) {
    this.transport = transport;
  }

  // The leak: a call has no time limit; one that gets no reply stays in #inFlight with everything that waits for it.
  call(method, params) {
    const call = new Call(`call-${++this.#nextId}`, method, params);
    this.#inFlight.set(call.id, call);
    this.transport.send({ id: call.id, method, params }, (reply) => this.#receive(reply));
    return call.promise;
  }

  #receive(reply) {
    const call = this.#inFlight.get(reply.id);
    this.#inFlight.delete(reply.id);
    call?.resolve(reply.result);
  }
}

module.exports = { Call, RpcClient };
