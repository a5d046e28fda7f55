// Calls and participants with @azure/communication-call-automation.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { account, agent, Application, ask, caller, number, setup } from "./surroundings.js";
import { CallAutomationClient } from "@azure/communication-call-automation";

describe("calls", () => {
  let application, client;
  before(async () => {
    application = await Application.start();
    client = application.client;
  });
  afterEach(() => application.hangUp());
  after(() => application.close());

  it("are answered, described and hung up", async () => {
    const { person, context } = await application.rings();
    const { callConnection, callConnectionProperties } = await client.answerCall(context, application.callbacks, { operationContext: "a" });
    await application.event("CallConnected", callConnectionProperties, { operationContext: "a" });
    const properties = await callConnection.getCallConnectionProperties();
    assert.equal(properties.callConnectionState, "connected");
    assert.equal(properties.answeredFor.phoneNumber, number);
    await callConnection.hangUp(false);
    await application.event("CallDisconnected", callConnectionProperties);
    await person.wait("over");
    await assert.rejects(callConnection.getCallConnectionProperties(), { statusCode: 404, code: "8522" });
  });

  it("are ended for everybody", async () => {
    const { person, connection } = await application.answered();
    await connection.hangUp(true);
    assert.equal((await application.event("CallDisconnected", connection)).resultInformation.subCode, 7000);
    await person.wait("over");
  });

  it("are rejected and redirected", async () => {
    const rejected = await application.rings();
    await client.rejectCall(rejected.context, { callRejectReason: "forbidden" });
    await rejected.person.wait("over");
    const redirected = await application.rings();
    const { identity, person: anna } = agent(0);
    await client.redirectCall(redirected.context, { targetParticipant: identity });
    await redirected.person.hears(600);
    await anna.hears(440);
  });

  it("are made over a resource account", async () => {
    const person = await caller();
    const target = { targetParticipant: { phoneNumber: person.number } };
    const teamsAppSource = { teamsAppId: account, cloud: "public" };
    await assert.rejects(
      client.createCall({ ...target, sourceDisplayName: "x" }, application.callbacks, { teamsAppSource }),
      { statusCode: 400, code: "8523" },
    );
    const { callConnectionProperties } = await client.createCall(target, application.callbacks, { teamsAppSource, operationContext: "c" });
    await application.event("CallConnected", callConnectionProperties, { operationContext: "c" });
    await person.wait("talking");
    const group = await client.createGroupCall([agent(0).identity, agent(1).identity], application.callbacks);
    await application.event("CallConnected", group.callConnectionProperties);
    await agent(0).person.hears(660);
  });

  it("are joined by a second connection", async () => {
    const { connection } = await application.answered();
    const { serverCallId } = await connection.getCallConnectionProperties();
    const again = await client.connectCall({ kind: "serverCallLocator", id: serverCallId }, application.callbacks);
    await application.event("CallConnected", again.callConnectionProperties);
    for (const kind of ["groupCallLocator", "roomCallLocator"]) {
      const joined = await client.connectCall({ kind, id: kind }, application.callbacks);
      await application.event("CallConnected", joined.callConnectionProperties);
      await joined.callConnection.hangUp(true);
    }
  });

  it("are for those with the right key", async () => {
    const stranger = new CallAutomationClient(`endpoint=${setup.endpoint}/;accesskey=d3Jvbmc=`);
    await assert.rejects(stranger.getCallConnection("x").getCallConnectionProperties(), { statusCode: 401 });
  });

  it("are answered once, however often the SDK has to ask", async () => {
    const { context } = await application.rings();
    await ask("PUT", "/lab/api/faults", { failAfter: 0.6, seed: 5 });
    const answered = client.answerCall(context, application.callbacks).finally(() => ask("PUT", "/lab/api/faults", {}));
    await application.event("CallConnected", (await answered).callConnectionProperties);
    const { calls } = await ask("GET", "/lab/api/calls");
    assert.equal(calls.filter((call) => call.connections.length > 0).length, 1);
  });
});

describe("participants", () => {
  let application, client;
  before(async () => {
    application = await Application.start();
    client = application.client;
  });
  afterEach(() => application.hangUp());
  after(() => application.close());

  it("are added, listed, muted and removed", async () => {
    const { person, connection, target } = await application.answered();
    const { identity, person: anna } = agent(0);
    const customCallingContext = [{ kind: "voip", key: "case", value: "7" }];
    const added = await connection.addParticipant({ targetParticipant: identity, customCallingContext }, { operationContext: "add" });
    assert.ok(added.invitationId);
    const succeeded = await application.event("AddParticipantSucceeded", connection, { operationContext: "add" });
    assert.deepEqual([succeeded.participant.userId, succeeded.participant.tenantId], [identity.userId, setup.tenantId]);
    assert.deepEqual((await anna.state()).context.voipHeaders, { case: "7" });
    await person.hears(600);
    const { values } = await connection.listParticipants();
    assert.deepEqual(values.map((one) => one.identifier.phoneNumber ?? one.identifier.userId), [person.number, identity.userId]);
    assert.equal((await connection.getParticipant(target)).isMuted, false);
    await connection.muteParticipant(identity, { operationContext: "m" });
    assert.equal((await connection.getParticipant(identity)).isMuted, true);
    await connection.removeParticipant(identity, { operationContext: "r" });
    await application.event("RemoveParticipantSucceeded", connection, { operationContext: "r" });
    await anna.wait("over");
    await assert.rejects(connection.getParticipant(identity), { statusCode: 404 });
  });

  it("who do not come are told, and those still ringing can be let go", async () => {
    const { connection } = await application.answered();
    const busy = await caller({ ringing: "busy" });
    await connection.addParticipant({ targetParticipant: { phoneNumber: busy.number } });
    assert.equal((await application.event("AddParticipantFailed", connection)).resultInformation.code, 486);
    const ringing = await caller({ ringing: "letRing" });
    const { invitationId } = await connection.addParticipant({ targetParticipant: { phoneNumber: ringing.number } });
    await ringing.wait("rings");
    assert.equal((await connection.cancelAddParticipantOperation(invitationId)).invitationId, invitationId);
    await application.event("CancelAddParticipantSucceeded", connection);
    await ringing.wait("over");
  });

  it("are transferred", async () => {
    const { person, connection } = await application.answered();
    const { identity } = agent(0);
    const details = { kind: "TeamsPhoneCallDetails", callTopic: "Broken card" };
    await connection.transferCallToParticipant(identity, { operationContext: "t", customCallingContext: [details] });
    await application.event("CallTransferAccepted", connection, { operationContext: "t" });
    await application.event("CallDisconnected", connection);
    await person.hears(600);
    assert.equal((await agent(0).person.state()).context.teamsPhoneCallDetails.callTopic, "Broken card");
    const other = await application.answered();
    const unwilling = await caller({ ringing: "decline" });
    await other.connection.transferCallToParticipant({ phoneNumber: unwilling.number });
    await application.event("CallTransferFailed", other.connection);
  });

  it("are moved to another call", async () => {
    const person = await caller({ tone: 720 });
    const target = { phoneNumber: person.number };
    const created = await client.createCall({ targetParticipant: target }, application.callbacks, { teamsAppSource: { teamsAppId: account } });
    await application.event("CallConnected", created.callConnectionProperties);
    const { connection } = await application.answered();
    await connection.moveParticipants([target], created.callConnectionProperties.callConnectionId);
    await application.event("MoveParticipantSucceeded", connection);
    await person.hears(440);
  });
});
