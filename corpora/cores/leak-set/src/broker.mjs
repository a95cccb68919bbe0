// The broker's side: messages of an id of 36 characters and a body of JSON, one in eight delivered twice.
const KINDS = ['order.placed', 'order.paid', 'order.packed', 'order.sent', 'order.returned'];

function uuid(n) {
  const hex = (Math.imul(n, 2_654_435_761) >>> 0).toString(16).padStart(8, '0');
  return `${hex}-5f3a-4c1e-9b77-${n.toString(16).padStart(12, '0')}`;
}

export async function* messages() {
  for (let n = 0; ; n++) {
    const body = { kind: KINDS[n % KINDS.length], order: n >> 2, pieces: (n % 4) + 1 };
    const raw = Buffer.from(uuid(n) + JSON.stringify(body));
    yield raw;
    if (n % 8 === 0) yield raw;
  }
}
