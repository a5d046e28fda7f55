// Media, streams and recordings with @azure/communication-call-automation.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { createOutboundAudioData, createOutboundStopAudioData } from "@azure/communication-call-automation";
import { agent, Application } from "./surroundings.js";

describe("media", () => {
  let application;
  before(async () => (application = await Application.start()));
  afterEach(() => application.hangUp());
  after(() => application.close());

  it("is played and canceled", async () => {
    const { person, connection, media, target } = await application.answered();
    await media.playToAll([application.prompt, application.prompt], { operationContext: "p1" });
    await person.hears(1000);
    await application.event("PlayCompleted", connection, { operationContext: "p1" });
    await media.play([application.prompt], [target], { loop: true, operationContext: "p2" });
    await application.event("PlayStarted", connection, { operationContext: "p2" });
    await media.playToAll([{ kind: "textSource", text: "Good morning", voiceName: "en-US-NancyNeural" }], { operationContext: "p3" });
    await application.event("PlayCompleted", connection, { operationContext: "p3" });
    await media.cancelAllOperations();
    await application.event("PlayCanceled", connection, { operationContext: "p2" });
    const ssmlText = '<speak version="1.0" xml:lang="en-US"><voice name="x">Hello</voice></speak>';
    await media.playToAll([{ kind: "ssmlSource", ssmlText }], { operationContext: "p4" });
    await application.event("PlayCompleted", connection, { operationContext: "p4" });
    await media.playToAll([{ kind: "fileSource", url: "http://127.0.0.1:9/none.wav" }]);
    assert.equal((await application.event("PlayFailed", connection)).resultInformation.subCode, 8536);
  });

  it("collects keys, choices and speech", async () => {
    const { person, connection, media, target } = await application.answered();
    const listen = async (options, act) => {
      await media.startRecognizing(target, { interruptPrompt: true, playPrompt: application.prompt, initialSilenceTimeoutInSeconds: 30, ...options });
      await application.event("PlayStarted", connection, { operationContext: options.operationContext });
      await act();
      return application.event("RecognizeCompleted", connection, { operationContext: options.operationContext });
    };
    const keys = await listen(
      { kind: "callMediaRecognizeDtmfOptions", operationContext: "keys", maxTonesToCollect: 3, stopDtmfTones: ["pound"] },
      () => person.act("press", { keys: "12#" }),
    );
    assert.deepEqual(keys.dtmfResult.tones, ["one", "two"]);
    const choices = [{ label: "Confirm", phrases: ["yes"], tone: "one" }, { label: "Cancel", phrases: ["no"], tone: "two" }];
    const choice = await listen(
      { kind: "callMediaRecognizeChoiceOptions", operationContext: "choice", choices, speechLanguage: "en-US" },
      () => person.act("say", { text: "Yes please" }),
    );
    assert.equal(choice.choiceResult.label, "Confirm");
    const speech = await listen(
      { kind: "callMediaRecognizeSpeechOptions", operationContext: "speech", endSilenceTimeoutInSeconds: 1 },
      () => person.act("say", { text: "My card is broken" }),
    );
    assert.equal(speech.speechResult.speech, "My card is broken");
    const either = await listen(
      { kind: "callMediaRecognizeSpeechOrDtmfOptions", operationContext: "either", maxTonesToCollect: 1 },
      () => person.act("press", { keys: "5" }),
    );
    assert.deepEqual(either.dtmfResult.tones, ["five"]);
    await media.startRecognizing(target, { kind: "callMediaRecognizeDtmfOptions", maxTonesToCollect: 1, initialSilenceTimeoutInSeconds: 1 });
    assert.equal((await application.event("RecognizeFailed", connection)).resultInformation.subCode, 8510);
  });

  it("tells keys one by one and sends some", async () => {
    const { person, connection, media, target } = await application.answered();
    await media.startContinuousDtmfRecognition(target, { operationContext: "k" });
    await person.act("press", { keys: "9" });
    await application.event("ContinuousDtmfRecognitionToneReceived", connection, { tone: "nine" });
    await media.stopContinuousDtmfRecognition(target);
    await application.event("ContinuousDtmfRecognitionStopped", connection);
    await media.sendDtmfTones(["one", "pound"], target, { operationContext: "d" });
    await application.event("SendDtmfTonesCompleted", connection, { operationContext: "d" });
    assert.equal((await person.state()).keysHeard, "1#");
  });

  it("holds and goes on", async () => {
    const { person, connection, media, target } = await application.answered();
    await connection.addParticipant({ targetParticipant: agent(0).identity });
    await application.event("AddParticipantSucceeded", connection);
    await media.hold(target, { playSource: application.prompt });
    await person.hears(1000);
    await agent(0).person.hears();
    await media.unhold(target);
    await person.hears(600);
  });

  it("streams both ways", async () => {
    const { person, connection, media } = await application.answered({
      mediaStreamingOptions: {
        transportType: "websocket", transportUrl: `${application.url.replace("http", "ws")}/media`, contentType: "audio",
        audioChannelType: "mixed", startMediaStreaming: true, enableBidirectional: true, audioFormat: "Pcm16KMono",
      },
    });
    await application.event("MediaStreamingStarted", connection);
    const frame = await application.wait("sound", () => application.frames.find((one) => one.data && one.isSilent === false));
    assert.equal(Buffer.from(frame.data, "base64").length, 640);
    const tone = Buffer.alloc(64_000);
    for (let index = 0; index < 32_000; index += 1) tone.writeInt16LE(Math.round(6000 * Math.sin((2 * Math.PI * 720 * index) / 16_000)), 2 * index);
    // The prompts are said in pieces, as the SDK's users do.
    for (let at = 0; at < tone.length; at += 640) application.say(createOutboundAudioData(tone.subarray(at, at + 640).toString("base64")));
    await person.hears(720);
    application.say(createOutboundStopAudioData());
    await person.hears();
    await media.stopMediaStreaming();
    await application.event("MediaStreamingStopped", connection);
    await media.startMediaStreaming({ operationContext: "again" });
    await application.event("MediaStreamingStarted", connection, { operationContext: "again" });
  });

  it("is transcribed", async () => {
    const { person, connection, media } = await application.answered({
      transcriptionOptions: {
        transportType: "websocket", transportUrl: `${application.url.replace("http", "ws")}/words`, locale: "en-US", startTranscription: false,
      },
    });
    await media.startTranscription({ locale: "en-US", speechRecognitionModelEndpointId: "model" });
    await application.event("TranscriptionStarted", connection);
    await person.act("say", { text: "Good morning" });
    const words = await application.wait("words", () => application.frames.find((one) => one.text === "Good morning"));
    assert.equal(words.participant.phoneNumber, person.number);
    assert.equal(application.frames.find((one) => one.locale).speechRecognitionModelEndpointId, "model");
    await media.updateTranscription("de-DE");
    await application.event("TranscriptionUpdated", connection);
    await media.stopTranscription();
    await application.event("TranscriptionStopped", connection);
  });
});

describe("recordings", () => {
  let application, recordings, folder;
  before(async () => {
    application = await Application.start();
    recordings = application.client.getCallRecording();
    folder = await mkdtemp(path.join(tmpdir(), "dreiklang-sdk-"));
  });
  afterEach(() => application.hangUp());
  after(async () => {
    await application.close();
    await rm(folder, { recursive: true });
  });

  it("are paused, stopped, fetched and deleted", async () => {
    const { connection } = await application.answered();
    const { recordingId, recordingKind } = await recordings.start({
      callConnectionId: connection.callConnectionId, recordingStateCallbackEndpointUrl: application.callbacks,
      recordingContent: "audio", recordingChannel: "mixed", recordingFormat: "wav",
    });
    assert.equal(recordingKind, "azureCommunicationServices");
    await application.event("RecordingStateChanged", connection, { recordingId, state: "active" });
    await pass(500); // that is what is recorded
    await recordings.pause(recordingId);
    assert.equal((await recordings.getState(recordingId)).recordingState, "inactive");
    await recordings.resume(recordingId);
    assert.equal((await recordings.getState(recordingId)).recordingState, "active");
    await recordings.stop(recordingId);
    const is = (event) => event.eventType.endsWith("RecordingFileStatusUpdated") && event.subject.endsWith(recordingId);
    const event = await application.wait("the file", () => application.grid.find(is));
    const [{ contentLocation, deleteLocation }] = event.data.recordingStorageInfo.recordingChunks;
    const file = path.join(folder, "recording.wav");
    await recordings.downloadToPath(contentLocation, file);
    const content = await readFile(file);
    assert.equal(content.subarray(0, 4).toString(), "RIFF");
    assert.ok(content.length > 8_000, `${content.length} bytes`);
    const pieces = [];
    for await (const piece of await recordings.downloadStreaming(contentLocation, { offset: 8, length: 4 })) pieces.push(piece);
    assert.equal(Buffer.concat(pieces).toString(), "WAVE");
    const kept = [];
    const sink = new Writable({ write: (piece, _, done) => (kept.push(piece), done()) });
    await recordings.downloadToStream(contentLocation, sink);
    if (!sink.writableFinished) await once(sink, "finish");
    assert.equal(Buffer.concat(kept).length, content.length);
    await recordings.delete(deleteLocation);
    await assert.rejects(recordings.delete(deleteLocation));
  });
});
