"""Media, streams and recordings with azure-communication-callautomation."""

import base64
import io
import time
import unittest
import wave

from azure.communication.callautomation import (
    AudioFormat,
    ChannelAffinity,
    DtmfTone,
    FileSource,
    MediaStreamingAudioChannelType,
    MediaStreamingContentType,
    MediaStreamingOptions,
    PhoneNumberIdentifier,
    RecognitionChoice,
    RecognizeInputType,
    RecordingChannel,
    RecordingContent,
    RecordingFormat,
    SsmlSource,
    StreamingTransportType,
    TextSource,
    TranscriptionOptions,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from test_calls import WithCalls, agent


class Media(WithCalls):
    def prompt(self):
        return FileSource(self.application.url + "/prompt.wav")

    def test_play(self):
        number, person, connection = self.answered()
        connection.play_media([self.prompt(), self.prompt()], operation_context="p1")
        person.hears(1000)
        self.event("PlayStarted", connection, operationContext="p1")
        self.event("PlayCompleted", connection, operationContext="p1")
        connection.play_media(self.prompt(), [PhoneNumberIdentifier(number)], loop=True, operation_context="p2")
        person.hears(1000)
        connection.play_media_to_all(TextSource(text="Good morning", voice_name="en-US-NancyNeural"), operation_context="p3")
        self.event("PlayCompleted", connection, operationContext="p3")
        connection.cancel_all_media_operations()
        self.assertEqual(self.event("PlayCanceled", connection, operationContext="p2")["resultInformation"]["subCode"], 8508)
        ssml = '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="de-DE"><voice name="de">Guten Tag</voice></speak>'
        connection.play_media_to_all(SsmlSource(ssml_text=ssml), operation_context="p4", interrupt_call_media_operation=True)
        self.event("PlayCompleted", connection, operationContext="p4")

    def test_a_prompt_that_is_not_there(self):
        _, _, connection = self.answered()
        connection.play_media([self.prompt(), FileSource("http://127.0.0.1:9/none.wav")])
        failed = self.event("PlayFailed", connection)
        self.assertEqual((failed["resultInformation"]["subCode"], failed["failedPlaySourceIndex"]), (8536, 1))

    def test_recognize_keys(self):
        number, person, connection = self.answered()
        connection.start_recognizing_media(
            RecognizeInputType.DTMF, PhoneNumberIdentifier(number), play_prompt=self.prompt(), interrupt_prompt=True,
            dtmf_max_tones_to_collect=3, dtmf_stop_tones=[DtmfTone.POUND], dtmf_inter_tone_timeout=5, operation_context="r",
        )
        self.event("PlayStarted", connection)
        person.act("press", keys="12#")
        done = self.event("RecognizeCompleted", connection, operationContext="r")
        self.assertEqual((done["recognitionType"], done["dtmfResult"]["tones"]), ("dtmf", ["one", "two"]))

    def test_recognize_nothing(self):
        number, _, connection = self.answered()
        connection.start_recognizing_media(RecognizeInputType.DTMF, PhoneNumberIdentifier(number), initial_silence_timeout=1)
        self.assertEqual(self.event("RecognizeFailed", connection)["resultInformation"]["subCode"], 8510)

    def test_recognize_a_choice_and_speech(self):
        number, person, connection = self.answered()
        choices = [
            RecognitionChoice(label="Confirm", phrases=["yes", "confirm"], tone=DtmfTone.ONE),
            RecognitionChoice(label="Cancel", phrases=["no"], tone=DtmfTone.TWO),
        ]
        prompt = TextSource(text="Shall we?", source_locale="en-US")
        target = PhoneNumberIdentifier(number)
        connection.start_recognizing_media(
            RecognizeInputType.CHOICES, target, play_prompt=prompt, choices=choices, interrupt_prompt=True, speech_language="en-US",
            initial_silence_timeout=30, operation_context="c",
        )
        self.event("PlayStarted", connection)
        person.act("say", text="Yes, confirm it")
        done = self.event("RecognizeCompleted", connection, operationContext="c")
        self.assertEqual((done["choiceResult"]["label"], done["choiceResult"]["recognizedPhrase"]), ("Confirm", "yes"))
        connection.start_recognizing_media(
            RecognizeInputType.SPEECH_OR_DTMF, target, end_silence_timeout=1, dtmf_max_tones_to_collect=2, operation_context="s",
            initial_silence_timeout=30, play_prompt=[self.prompt()], interrupt_prompt=True,
        )
        self.application.wait("the second prompt", lambda: len([
            event for event in self.application.told
            if event["type"].endswith("PlayStarted") and event["data"].get("operationContext") == "s"
        ]))
        person.act("say", text="My card is broken")
        done = self.event("RecognizeCompleted", connection, operationContext="s")
        self.assertEqual(done["speechResult"]["speech"], "My card is broken")

    def test_keys_one_by_one_and_sent(self):
        number, person, connection = self.answered()
        target = PhoneNumberIdentifier(number)
        connection.start_continuous_dtmf_recognition(target, operation_context="k")
        person.act("press", keys="9*")
        self.event("ContinuousDtmfRecognitionToneReceived", connection, tone="asterisk", sequenceId=2)
        connection.stop_continuous_dtmf_recognition(target, operation_context="k")
        self.event("ContinuousDtmfRecognitionStopped", connection)
        sent = connection.send_dtmf_tones([DtmfTone.ONE, DtmfTone.POUND], target, operation_context="d")
        self.assertEqual(sent.operation_context, "d")
        self.event("SendDtmfTonesCompleted", connection, operationContext="d")
        self.assertEqual(person.state["keysHeard"], "1#")

    def test_hold(self):
        number, person, connection = self.answered()
        identity, anna = agent(0)
        connection.add_participant(identity)
        self.event("AddParticipantSucceeded", connection)
        connection.hold(PhoneNumberIdentifier(number), play_source=self.prompt(), operation_context="h")
        person.hears(1000)
        anna.hears()
        self.assertTrue(connection.get_participant(PhoneNumberIdentifier(number)).is_on_hold)
        connection.unhold(PhoneNumberIdentifier(number), operation_context="u")
        person.hears(600)

    def test_media_streaming(self):
        options = MediaStreamingOptions(
            transport_url=self.application.socket_url + "/media", transport_type=StreamingTransportType.WEBSOCKET,
            content_type=MediaStreamingContentType.AUDIO, audio_channel_type=MediaStreamingAudioChannelType.UNMIXED,
            start_media_streaming=False, enable_bidirectional=True, audio_format=AudioFormat.PCM16_K_MONO, enable_dtmf_tones=True,
        )
        number, person, connection = self.answered(media_streaming=options)
        self.assertEqual(connection.get_call_properties().media_streaming_subscription.state, "inactive")
        self.application.frames.clear()
        connection.start_media_streaming(operation_context="m")
        started = self.event("MediaStreamingStarted", connection, operationContext="m")
        self.assertEqual(started["mediaStreamingUpdate"]["mediaStreamingStatus"], "mediaStreamingStarted")
        frame = self.application.wait("sound", lambda: next((one for one in self.application.frames if one["kind"] == "AudioData"), None))
        self.assertEqual(frame["audioData"]["participantRawID"], f"4:{number}")
        self.assertEqual(len(base64.b64decode(frame["audioData"]["data"])), 640)
        self.assertEqual(self.application.frames[0]["audioMetadata"]["sampleRate"], 16000)
        person.act("press", keys="5")
        self.application.wait("a key", lambda: [one for one in self.application.frames if one.get("dtmfData") == {"data": "5"}])
        connection.stop_media_streaming(operation_context="e")
        self.event("MediaStreamingStopped", connection, operationContext="e")

    def test_transcription(self):
        options = TranscriptionOptions(
            transport_url=self.application.socket_url + "/words", transport_type=StreamingTransportType.WEBSOCKET, locale="en-US",
            start_transcription=False, enable_intermediate_results=True,
        )
        number, person, connection = self.answered(transcription=options)
        self.application.frames.clear()
        connection.start_transcription(locale="en-US", operation_context="t")
        self.event("TranscriptionStarted", connection)
        person.act("say", text="Good morning everybody")
        words = self.application.wait("words", lambda: next((
            one["transcriptionData"] for one in self.application.frames
            if one.get("transcriptionData", {}).get("resultStatus") == "Final"
        ), None))
        self.assertEqual((words["text"], words["participantRawID"]), ("Good morning everybody", f"4:{number}"))
        connection.update_transcription(locale="de-DE", operation_context="l")
        self.event("TranscriptionUpdated", connection, operationContext="l")
        self.assertEqual(connection.get_call_properties().transcription_subscription.locale, "de-DE")
        connection.stop_transcription(operation_context="x")
        self.event("TranscriptionStopped", connection, operationContext="x")


class Recordings(WithCalls):
    def recorded(self, connection, **options):
        started = self.client.start_recording(
            call_connection_id=connection._call_connection_id, recording_state_callback_url=self.callbacks,
            recording_content_type=RecordingContent.AUDIO, recording_format_type=RecordingFormat.WAV, **options,
        )
        self.assertEqual((started.recording_state, started.recording_kind), ("active", "azureCommunicationServices"))
        self.application.event("RecordingStateChanged", recordingId=started.recording_id, state="active")
        return started.recording_id

    def file_of(self, recording):
        """Where the recording's file is, when it is ready."""
        return self.application.wait("the file", lambda: next((
            event["data"]["recordingStorageInfo"]["recordingChunks"][0] for event in self.application.grid
            if event["eventType"].endswith("RecordingFileStatusUpdated") and event["subject"].endswith(recording)
        ), None))

    def fetched(self, url, **part):
        # Said to be an iterable of bytes, and is the response itself.
        return self.client.download_recording(url, **part).body()

    def test_record_pause_resume_stop_download_delete(self):
        _, person, connection = self.answered()
        recording = self.recorded(connection, recording_channel_type=RecordingChannel.MIXED)
        time.sleep(0.5)  # that is what is recorded
        self.client.pause_recording(recording)
        self.assertEqual(self.client.get_recording_properties(recording).recording_state, "inactive")
        self.client.resume_recording(recording)
        self.application.wait("the states", lambda: len([
            event for event in self.application.told
            if event["type"].endswith("RecordingStateChanged") and event["data"]["recordingId"] == recording
        ]) == 3)
        self.client.stop_recording(recording)
        with self.assertRaises(ResourceNotFoundError):
            self.client.get_recording_properties(recording)
        place = self.file_of(recording)
        content = self.fetched(place["contentLocation"])
        with wave.open(io.BytesIO(content)) as file:
            self.assertEqual((file.getframerate(), file.getnchannels(), file.getsampwidth()), (16000, 1, 2))
            self.assertGreater(file.getnframes(), 4000)
        part = self.fetched(place["contentLocation"], offset=8, length=4)
        self.assertEqual(part, b"WAVE")
        self.assertIn(b"pauseResumeIntervals", self.fetched(place["metadataLocation"]))
        self.client.delete_recording(place["deleteLocation"])
        with self.assertRaises(ResourceNotFoundError):
            self.client.delete_recording(place["deleteLocation"])
        with self.assertRaises(ValueError, msg="the SDK goes nowhere else"):
            self.fetched(self.application.url + "/prompt.wav")

    def test_each_on_a_channel(self):
        number, _, connection = self.answered()
        identity, _ = agent(0)
        connection.add_participant(identity)
        self.event("AddParticipantSucceeded", connection)
        recording = self.recorded(
            connection, recording_channel_type=RecordingChannel.UNMIXED,
            channel_affinity=[ChannelAffinity(identity, 0), ChannelAffinity(PhoneNumberIdentifier(number), 1)],
        )
        time.sleep(0.3)  # that is what is recorded
        connection.hang_up(is_for_everyone=True)
        content = self.fetched(self.file_of(recording)["contentLocation"])
        with wave.open(io.BytesIO(content)) as file:
            self.assertEqual(file.getnchannels(), 2)

    def test_what_cannot_be_recorded(self):
        _, _, connection = self.answered()
        for options in ({"recording_content_type": RecordingContent.AUDIO_VIDEO}, {"recording_format_type": RecordingFormat.MP3}):
            with self.subTest(options), self.assertRaises(HttpResponseError):
                self.client.start_recording(call_connection_id=connection._call_connection_id, **options)


if __name__ == "__main__":
    unittest.main()
