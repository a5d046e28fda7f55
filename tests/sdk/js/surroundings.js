// The lab the tests run against, started by tests/sdk/run, and an application with webhooks.
//
// Decides how the lab is reached and what the application keeps; what is asked of Microsoft's SDK is the tests' matter.

import { parseCallAutomationEvent, CallAutomationClient, StreamingData } from "@azure/communication-call-automation";
import { createHash, randomInt } from "node:crypto";
import dns from "node:dns";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

/** Limit in ms for whatever should happen at once, with room for a busy machine. */
export const SOON = 20_000;
export const setup = JSON.parse(readFileSync(process.env.DREIKLANG_LAB_SETUP, "utf8"));
export const number = setup.resourceAccounts[0].number;
export const account = setup.resourceAccounts[0].id;

// Recordings lie at a host of Microsoft's as far as the SDK knows; here it is this machine, in this process alone.
const lookup = dns.lookup;
dns.lookup = (host, ...rest) => lookup(host.endsWith(".asm.skype.com") ? "127.0.0.1" : host, ...rest);

/** Asks the lab itself, and returns the answer's body. */
export async function ask(method, path, body, headers = {}) {
  const answer = await fetch(setup.endpoint + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} is answered with ${answer.status}: ${text}`);
  return text ? JSON.parse(text) : null;
}

/** A token of the first user for the desks' application. */
export async function entraToken(scope) {
  const form = new URLSearchParams({
    grant_type: "password", client_id: setup.deskClientId, scope,
    username: setup.users[0].userPrincipalName, password: setup.users[0].password,
  });
  const answer = await fetch(`${setup.endpoint}/${setup.tenantId}/oauth2/v2.0/token`, { method: "POST", body: form });
  return (await answer.json()).access_token;
}

/** Somebody in the lab. */
export class Person {
  constructor(who) {
    this.path = `/lab/api/people/${encodeURIComponent(who)}`;
    this.number = who;
  }

  act(action, body = {}) {
    return ask("POST", `${this.path}/${action}`, body);
  }

  async state() {
    return (await ask("GET", this.path)).state;
  }

  wait(stage) {
    return this.act("wait", { stage, withinMs: SOON });
  }

  /** Waits until just these tones are heard. */
  hears(...tones) {
    return ask("GET", `${this.path}/hears?tones=440,600,660,720,1000&wanted=${tones.join(",")}&withinMs=${SOON}`);
  }
}

/** A new telephone. */
export async function caller({ tone = 440, ...manner } = {}) {
  const found = `+4916${randomInt(1e8, 1e9)}`;
  await ask("POST", "/lab/api/people", { number: found, toneHz: tone, manner });
  return new Person(found);
}

/** A user's contact-center identity, and her client. */
export function agent(index) {
  const user = setup.users[index];
  const identity = { userId: user.objectId, tenantId: setup.tenantId, resourceId: setup.resourceId };
  return { identity, person: new Person(user.name) };
}

/** A prompt as the service wants it: WAV, mono, 16 bit, 16 kHz. */
function toneWav(hz = 1000) {
  const count = 16_000;
  const wav = Buffer.alloc(44 + 2 * count);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + 2 * count, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(16_000, 24);
  wav.writeUInt32LE(32_000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(2 * count, 40);
  for (let index = 0; index < count; index += 1) wav.writeInt16LE(Math.round(6000 * Math.sin((2 * Math.PI * hz * index) / 16_000)), 44 + 2 * index);
  return wav;
}

/** Takes events, callbacks (parsed by the SDK) and sockets; serves a prompt. */
export class Application {
  told = [];
  grid = [];
  frames = [];
  #waiting = new Set();
  #sockets = new Set();

  static async start() {
    const application = new Application();
    application.server = createServer((request, response) => application.#serve(request, response));
    application.server.on("upgrade", (request, socket) => application.#upgrade(request, socket));
    await new Promise((resolve) => application.server.listen(0, "127.0.0.1", resolve));
    application.url = `http://127.0.0.1:${application.server.address().port}`;
    application.callbacks = `${application.url}/callbacks`;
    application.prompt = { kind: "fileSource", url: `${application.url}/prompt.wav` };
    application.subscription = await ask("POST", "/lab/api/subscriptions", { url: `${application.url}/events` });
    application.client = new CallAutomationClient(setup.connectionString);
    return application;
  }

  async close() {
    await ask("DELETE", `/lab/api/subscriptions/${this.subscription.id}`);
    for (const socket of this.#sockets) socket.destroy();
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Hangs up on everybody. */
  async hangUp() {
    for (const { parties } of (await ask("GET", "/lab/api/calls")).calls) {
      // Some went with others.
      for (const { rawId } of parties) await new Person(rawId).act("hang-up").catch(() => {});
    }
  }

  /** Waits until `look` finds something. */
  async wait(what, look) {
    const found = look();
    if (found) return found;
    return new Promise((resolve, reject) => {
      const seen = () => {
        const later = look();
        if (!later) return;
        clearTimeout(limit);
        this.#waiting.delete(seen);
        resolve(later);
      };
      const limit = setTimeout(() => {
        this.#waiting.delete(seen);
        reject(new Error(`waited for ${what}; told ${JSON.stringify(this.told.slice(-6))}`));
      }, SOON);
      this.#waiting.add(seen);
    });
  }

  /** A callback of this kind with these fields, as the SDK reads it. */
  event(kind, connection, fields = {}) {
    const fits = (event) => event.kind === kind && event.callConnectionId === connection.callConnectionId &&
      Object.entries(fields).every(([name, value]) => event[name] === value);
    return this.wait(`${kind} ${JSON.stringify(fields)}`, () => this.told.find(fits));
  }

  /** A caller who rings. */
  async rings(manner) {
    const person = await caller(manner);
    await person.act("call", { number });
    const is = (event) => event.eventType.endsWith(".IncomingCall") && event.data.from.rawId === `4:${person.number}`;
    const event = await this.wait("a call", () => this.grid.find(is));
    return { person, context: event.data.incomingCallContext };
  }

  /** A caller who is answered. */
  async answered(options = {}) {
    const { person, context } = await this.rings();
    const intelligence = { callIntelligenceOptions: { cognitiveServicesEndpoint: "https://ai.example" } };
    const answer = await this.client.answerCall(context, this.callbacks, { ...intelligence, ...options });
    const connection = Object.assign(answer.callConnection, { callConnectionId: answer.callConnectionProperties.callConnectionId });
    await this.event("CallConnected", connection);
    return { person, connection, media: connection.getCallMedia(), target: { phoneNumber: person.number } };
  }

  #keep(where, things) {
    where.push(...things);
    for (const seen of [...this.#waiting]) seen();
  }

  async #serve(request, response) {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces).toString();
    if (request.method === "GET") return response.setHeader("Content-Type", "audio/wav").end(toneWav());
    if (request.headers["aeg-event-type"] === "SubscriptionValidation") {
      return response.end(JSON.stringify({ validationResponse: JSON.parse(body)[0].data.validationCode }));
    }
    if (request.url === "/events") this.#keep(this.grid, JSON.parse(body));
    else this.#keep(this.told, [parseCallAutomationEvent(JSON.parse(body))]);
    return response.writeHead(200).end();
  }

  /** As much of RFC 6455 as the lab's frames need. */
  #upgrade(request, socket) {
    this.#sockets.add(socket);
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    let waiting = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      waiting = Buffer.concat([waiting, bytes]);
      for (;;) {
        if (waiting.length < 2) return;
        let length = waiting[1] & 127;
        let at = 2;
        if (length === 126 && waiting.length >= 4) (length = waiting.readUInt16BE(2)), (at = 4);
        if (waiting.length < at + 4 + length) return;
        const mask = waiting.subarray(at, at + 4);
        const payload = Buffer.from(waiting.subarray(at + 4, at + 4 + length).map((byte, index) => byte ^ mask[index % 4]));
        const opcode = waiting[0] & 15;
        waiting = waiting.subarray(at + 4 + length);
        if (opcode === 1) this.#keep(this.frames, [StreamingData.parse(payload.toString())]);
      }
    });
    this.say = (text) => {
      const payload = Buffer.from(text);
      const head = payload.length < 126 ? Buffer.from([0x81, payload.length]) : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 255]);
      socket.write(Buffer.concat([head, payload]));
    };
  }
}
