"""Calls and participants with azure-communication-callautomation."""

import unittest

from azure.communication.callautomation import (
    CallAutomationClient,
    CallConnectionClient,
    GroupCallLocator,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsUserIdentifier,
    PhoneNumberIdentifier,
    RoomCallLocator,
    ServerCallLocator,
    TeamsExtensionUserIdentifier,
    TeamsPhoneCallDetails,
    TeamsPhoneCallerDetails,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from surroundings import ACCOUNT, CA, ENDPOINT, NUMBER, SETUP, Application, Person, ask, caller


def agent(index):
    """A user's contact-center identity, and her client."""
    user = SETUP["users"][index]
    identity = TeamsExtensionUserIdentifier(user_id=user["objectId"], tenant_id=SETUP["tenantId"], resource_id=SETUP["resourceId"])
    return identity, Person(user["name"])


class WithCalls(unittest.TestCase):
    """A client and an application; every call is over afterwards."""

    @classmethod
    def setUpClass(cls):
        cls.application = Application()
        cls.client = CallAutomationClient.from_connection_string(SETUP["connectionString"], connection_verify=CA)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.application.close()

    def setUp(self):
        self.callbacks = self.application.url + "/callbacks"

    def tearDown(self):
        ask("PUT", "/lab/api/faults", {})
        for call in ask("GET", "/lab/api/calls")["calls"]:
            for party in call["parties"]:
                try:
                    Person(party["rawId"]).act("hang-up")
                except OSError:
                    pass  # went with another

    def rings(self, **manner):
        number, person = caller(**manner)
        person.act("call", number=NUMBER)
        return number, person, self.application.incoming(number)["incomingCallContext"]

    def answered(self, **options):
        """A caller who is answered: number, person, connection."""
        number, person, context = self.rings()
        properties = self.client.answer_call(context, self.callbacks, cognitive_services_endpoint="https://ai.example", **options)
        self.application.event("CallConnected", properties.call_connection_id)
        return number, person, self.client.get_call_connection(properties.call_connection_id)

    def event(self, kind, connection, **fields):
        return self.application.event(kind, connection._call_connection_id, **fields)


class Calls(WithCalls):
    def test_answer_and_hang_up(self):
        number, person, context = self.rings()
        answered = self.client.answer_call(context, self.callbacks, operation_context="a")
        self.assertEqual(answered.answered_for.properties["value"], NUMBER)
        self.application.event("CallConnected", answered.call_connection_id, operationContext="a")
        connection = self.client.get_call_connection(answered.call_connection_id)
        properties = connection.get_call_properties()
        self.assertEqual((properties.call_connection_state, properties.server_call_id), ("connected", answered.server_call_id))
        self.assertEqual(properties.source.properties["value"], number)
        connection.hang_up(is_for_everyone=False)
        self.event("CallDisconnected", connection)
        person.wait("over")
        with self.assertRaises(ResourceNotFoundError) as missing:
            connection.get_call_properties()
        self.assertEqual(missing.exception.error.code, "8522")

    def test_terminate(self):
        _, person, connection = self.answered()
        connection.hang_up(is_for_everyone=True)
        self.assertEqual(self.event("CallDisconnected", connection)["resultInformation"]["subCode"], 7000)
        person.wait("over")

    def test_reject(self):
        _, person, context = self.rings()
        self.client.reject_call(context, call_reject_reason="busy")
        person.wait("over")
        self.assertEqual(person.state["call"]["cause"], "486/560486")

    def test_redirect(self):
        _, person, context = self.rings()
        identity, anna = agent(0)
        self.client.redirect_call(context, identity)
        person.hears(600)
        anna.hears(440)

    def test_create(self):
        number, person = caller()
        target, account = PhoneNumberIdentifier(number), MicrosoftTeamsAppIdentifier(ACCOUNT)
        with self.assertRaises(HttpResponseError) as refused:
            self.client.create_call(target, self.callbacks, source_display_name="x", teams_app_source=account)
        self.assertEqual((refused.exception.status_code, refused.exception.error.code), (400, "8523"))
        created = self.client.create_call(target, self.callbacks, operation_context="c", teams_app_source=account)
        self.application.event("CallConnected", created.call_connection_id, operationContext="c")
        self.assertEqual(created.source.raw_id, f"28:orgid:{ACCOUNT}")
        person.wait("talking")

    def test_create_for_several(self):
        (anna, _), (ben, _) = agent(0), agent(1)
        created = self.client.create_group_call([anna, ben], self.callbacks)
        self.application.event("CallConnected", created.call_connection_id)
        Person(SETUP["users"][0]["name"]).hears(660)

    def test_create_fails(self):
        number, _ = caller(ringing="decline")
        created = self.client.create_call(PhoneNumberIdentifier(number), self.callbacks, teams_app_source=MicrosoftTeamsAppIdentifier(ACCOUNT))
        failed = self.application.event("CreateCallFailed", created.call_connection_id)
        self.assertEqual(failed["resultInformation"]["sipDetails"]["code"], 603)
        self.application.event("CallDisconnected", created.call_connection_id)

    def test_connect(self):
        _, _, connection = self.answered()
        server_call = connection.get_call_properties().server_call_id
        again = self.client.connect_call(self.callbacks, server_call_id=server_call)
        self.application.event("CallConnected", again.call_connection_id)
        self.assertNotEqual(again.call_connection_id, connection._call_connection_id)
        for place in ({"group_call_id": "g1"}, {"room_id": "r1"}):
            joined = self.client.connect_call(self.callbacks, **place)
            self.application.event("CallConnected", joined.call_connection_id)
            self.client.get_call_connection(joined.call_connection_id).hang_up(is_for_everyone=True)
        for locator in (ServerCallLocator(server_call), GroupCallLocator("g1"), RoomCallLocator("r1")):
            with self.assertRaises(HttpResponseError, msg="calls over Teams are recorded by their connection"):
                self.client.start_recording(locator)

    def test_keys_are_checked(self):
        for name in ("from_connection_string", "constructor"):
            if name == "constructor":
                client = CallAutomationClient(ENDPOINT, AzureKeyCredential("d3Jvbmc="), connection_verify=CA)
            else:
                client = CallAutomationClient.from_connection_string(f"endpoint={ENDPOINT}/;accesskey=d3Jvbmc=", connection_verify=CA)
            with self.subTest(name), self.assertRaises(ClientAuthenticationError):
                client.get_recording_properties("x")

    def test_older_version(self):
        client = CallAutomationClient(ENDPOINT, AzureKeyCredential(SETUP["accessKey"]), connection_verify=CA, api_version="2025-06-15")
        number, _, context = self.rings()
        answered = client.answer_call(context, self.callbacks)
        connection = client.get_call_connection(answered.call_connection_id)
        self.assertEqual([one.identifier.raw_id for one in connection.list_participants()], [f"4:{number}"])

    def test_throttled_and_failing_requests_are_repeated_by_the_sdk(self):
        _, _, context = self.rings()
        ask("PUT", "/lab/api/faults", {"failAfter": 0.7, "seed": 3})
        answered = self.client.answer_call(context, self.callbacks, retry_total=10, retry_backoff_factor=0.05)
        ask("PUT", "/lab/api/faults", {})
        self.application.event("CallConnected", answered.call_connection_id)
        calls = ask("GET", "/lab/api/calls")["calls"]
        self.assertEqual(len([call for call in calls if call["connections"]]), 1, "answered once")
        with self.assertRaises(HttpResponseError):
            self.client.answer_call(context, self.callbacks)


class Participants(WithCalls):
    def test_add_list_get_mute_remove(self):
        number, person, connection = self.answered()
        identity, anna = agent(0)
        added = connection.add_participant(identity, operation_context="add", voip_headers={"case": "7"}, invitation_timeout=30)
        self.assertTrue(added.invitation_id)
        self.assertEqual((added.participant.identifier.raw_id, added.operation_context), (identity.raw_id, "add"))
        self.assertEqual(self.event("AddParticipantSucceeded", connection)["participant"]["kind"], "teamsExtensionUser")
        self.assertEqual(anna.state["context"]["voipHeaders"], {"case": "7"})
        person.hears(600)
        anna.hears(440)
        found = {one.identifier.raw_id: one for one in connection.list_participants()}
        self.assertEqual(set(found), {f"4:{number}", identity.raw_id})
        self.assertIs(type(found[identity.raw_id].identifier), TeamsExtensionUserIdentifier)
        self.assertFalse(connection.get_participant(PhoneNumberIdentifier(number)).is_muted)
        self.assertEqual(connection.mute_participant(identity, operation_context="m").operation_context, "m")
        self.assertTrue(connection.get_participant(identity).is_muted)
        person.hears()
        with self.assertRaises(HttpResponseError):
            connection.mute_participant(PhoneNumberIdentifier(number))
        self.assertEqual(connection.remove_participant(identity, operation_context="r").operation_context, "r")
        self.event("RemoveParticipantSucceeded", connection, operationContext="r")
        anna.wait("over")
        with self.assertRaises(ResourceNotFoundError):
            connection.get_participant(identity)

    def test_teams_client_and_details(self):
        _, person, connection = self.answered()
        user = SETUP["users"][0]
        details = TeamsPhoneCallDetails(
            teams_phone_caller=TeamsPhoneCallerDetails(caller=PhoneNumberIdentifier("+4930555"), name="C", phone_number="+4930555"),
            call_topic="Broken card",
        )
        # The SDK sends the details only along with headers.
        connection.add_participant(MicrosoftTeamsUserIdentifier(user["objectId"]), teams_phone_call_details=details, voip_headers={"a": "b"})
        self.event("AddParticipantSucceeded", connection)
        teams = Person(f"{user['name']}-teams")
        self.assertEqual(teams.state["context"]["teamsPhoneCallDetails"]["callTopic"], "Broken card")
        person.hears(600)

    def test_add_fails(self):
        _, _, connection = self.answered()
        number, _ = caller(ringing="busy")
        connection.add_participant(PhoneNumberIdentifier(number), operation_callback_url=self.callbacks)
        self.assertEqual(self.event("AddParticipantFailed", connection)["resultInformation"]["code"], 486)
        with self.assertRaises(HttpResponseError) as refused:
            connection.add_participant(PhoneNumberIdentifier(number), source_caller_id_number=PhoneNumberIdentifier("+49301"))
        self.assertEqual(refused.exception.error.code, "8523")

    def test_cancel_adding(self):
        _, _, connection = self.answered()
        number, person = caller(ringing="letRing")
        added = connection.add_participant(PhoneNumberIdentifier(number))
        person.wait("rings")
        canceled = connection.cancel_add_participant_operation(added.invitation_id, operation_context="c")
        self.assertEqual((canceled.invitation_id, canceled.operation_context), (added.invitation_id, "c"))
        self.event("CancelAddParticipantSucceeded", connection, invitationId=added.invitation_id)
        person.wait("over")

    def test_transfer(self):
        _, person, connection = self.answered()
        identity, anna = agent(0)
        moved = connection.transfer_call_to_participant(identity, operation_context="t", voip_headers={"IVR-Selection": "Support"})
        self.assertEqual(moved.operation_context, "t")
        self.assertEqual(self.event("CallTransferAccepted", connection)["transferTarget"]["rawId"], identity.raw_id)
        self.event("CallDisconnected", connection)
        person.hears(600)
        self.assertEqual(anna.state["context"]["voipHeaders"], {"IVR-Selection": "Support"})

    def test_transfer_of_one_of_several_to_a_telephone(self):
        number, person, connection = self.answered()
        identity, _ = agent(0)
        connection.add_participant(identity)
        self.event("AddParticipantSucceeded", connection)
        target, _ = caller(tone=720)
        connection.transfer_call_to_participant(
            PhoneNumberIdentifier(target), transferee=PhoneNumberIdentifier(number), sip_headers={"X-MS-Custom-Case": "7"}
        )
        self.event("CallTransferAccepted", connection)
        person.hears(720)

    def test_transfer_fails(self):
        _, person, connection = self.answered()
        number, _ = caller(ringing="decline")
        connection.transfer_call_to_participant(PhoneNumberIdentifier(number))
        self.assertEqual(self.event("CallTransferFailed", connection)["resultInformation"]["code"], 603)
        self.assertEqual(person.state["call"]["stage"], "talking")

    def test_move(self):
        number, person = caller(tone=720)
        created = self.client.create_call(PhoneNumberIdentifier(number), self.callbacks, teams_app_source=MicrosoftTeamsAppIdentifier(ACCOUNT))
        self.application.event("CallConnected", created.call_connection_id)
        _, other, connection = self.answered()
        moved = connection.move_participants([PhoneNumberIdentifier(number)], created.call_connection_id, operation_context="m")
        self.assertEqual((moved.operation_context, moved.from_call), ("m", created.call_connection_id))
        self.assertEqual(self.event("MoveParticipantSucceeded", connection)["fromCall"], created.call_connection_id)
        person.hears(440)
        other.hears(720)


class Constructors(WithCalls):
    def test_a_connection_from_a_connection_string(self):
        number, _, connection = self.answered()
        same = CallConnectionClient.from_connection_string(SETUP["connectionString"], connection._call_connection_id, connection_verify=CA)
        self.assertEqual(next(iter(same.list_participants())).identifier.raw_id, f"4:{number}")


if __name__ == "__main__":
    unittest.main()
