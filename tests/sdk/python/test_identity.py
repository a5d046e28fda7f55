"""Entra and identities with azure-identity and azure-communication-identity."""

import base64
import datetime
import hashlib
import hmac
import json
import unittest
import urllib.error

from azure.communication.callautomation import CallAutomationClient
from azure.communication.identity import CommunicationIdentityClient, CommunicationTokenScope
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import CertificateCredential, ClientAssertionCredential, ClientSecretCredential, OnBehalfOfCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from surroundings import ACCOUNT, CA, ENDPOINT, SETUP, ask, entra_token

OPTIONS = {"authority": ENDPOINT, "disable_instance_discovery": True, "connection_verify": CA}
SCOPE = "https://communication.azure.com//.default"


def certificate():
    """A key with its certificate, registered for the application; PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bot")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    made = made.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    pem = made.public_bytes(serialization.Encoding.PEM)
    ask("POST", "/lab/api/application-certificates", {"pem": pem.decode()})
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + pem


class Tokens(unittest.TestCase):
    def asks_with(self, credential):
        client = CallAutomationClient(ENDPOINT, credential, connection_verify=CA)
        with self.assertRaises(ResourceNotFoundError):  # let in, and there is none
            client.get_recording_properties("x")

    def test_secret(self):
        self.asks_with(ClientSecretCredential(SETUP["tenantId"], SETUP["clientId"], SETUP["clientSecret"], **OPTIONS))
        with self.assertRaises(ClientAuthenticationError) as refused:
            ClientSecretCredential(SETUP["tenantId"], SETUP["clientId"], "wrong", **OPTIONS).get_token(SCOPE)
        self.assertIn("AADSTS7000215", str(refused.exception))

    def test_certificate(self):
        pem = certificate()
        self.asks_with(CertificateCredential(SETUP["tenantId"], SETUP["clientId"], certificate_data=pem, **OPTIONS))

    def test_assertion(self):
        credential = ClientAssertionCredential(SETUP["tenantId"], SETUP["clientId"], lambda: "nonsense", **OPTIONS)
        with self.assertRaises(ClientAuthenticationError) as refused:
            credential.get_token(SCOPE)
        self.assertIn("AADSTS50027", str(refused.exception))

    def test_on_behalf_of(self):
        assertion = entra_token(f"api://{SETUP['clientId']}/use")
        credential = OnBehalfOfCredential(
            SETUP["tenantId"], SETUP["clientId"], client_secret=SETUP["clientSecret"], user_assertion=assertion, **OPTIONS
        )
        self.assertTrue(credential.get_token("https://graph.microsoft.com/User.Read").token)

    def test_tokens_for_others_are_refused(self):
        credential = ClientSecretCredential(SETUP["tenantId"], SETUP["clientId"], SETUP["clientSecret"], **OPTIONS)
        token = credential.get_token("https://graph.microsoft.com/.default").token
        with self.assertRaises(urllib.error.HTTPError) as refused:
            ask("GET", "/calling/recordings/x?api-version=2026-03-12", headers={"Authorization": f"Bearer {token}"})
        self.assertEqual(refused.exception.code, 401)
        accounts = ask("GET", f"/beta/admin/teams/resourceAccounts?$filter=appid%20eq%20'{SETUP['clientId']}'",
                       headers={"Authorization": f"Bearer {token}"})
        self.assertEqual(accounts["value"][0]["id"], ACCOUNT)


class Identities(unittest.TestCase):
    def setUp(self):
        self.client = CommunicationIdentityClient.from_connection_string(SETUP["connectionString"], connection_verify=CA)

    def test_a_user_and_its_tokens(self):
        user = self.client.create_user()
        self.assertTrue(user.raw_id.startswith(f"8:acs:{SETUP['resourceId']}_"))
        token = self.client.get_token(user, [CommunicationTokenScope.VOIP])
        self.assertTrue(token.token and token.expires_on)
        self.client.revoke_tokens(user)
        self.client.delete_user(user)
        with self.assertRaises(HttpResponseError):
            self.client.get_token(user, [CommunicationTokenScope.VOIP])
        both, token = self.client.create_user_and_token([CommunicationTokenScope.CHAT], token_expires_in=datetime.timedelta(hours=1))
        self.assertTrue(both.raw_id and token.token)
        with self.assertRaises(HttpResponseError):
            self.client.create_user_and_token(["everything"])

    def test_a_teams_user(self):
        user = SETUP["users"][0]
        token = entra_token("https://auth.msft.communication.azure.com/Teams.ManageCalls")
        exchanged = self.client.get_token_for_teams_user(token, SETUP["deskClientId"], user["objectId"])
        self.assertTrue(exchanged.token)
        with self.assertRaises(HttpResponseError):
            self.client.get_token_for_teams_user(token, SETUP["deskClientId"], SETUP["users"][1]["objectId"])


class Consent(unittest.TestCase):
    """What no SDK for Python has; signed by hand as the service's page says."""

    def signed(self, method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        host = ENDPOINT.split("://")[1]
        text = f"{method}\n{path}\n{date};{host};{digest}"
        signature = base64.b64encode(hmac.new(base64.b64decode(SETUP["accessKey"]), text.encode(), hashlib.sha256).digest()).decode()
        headers = {"x-ms-date": date, "x-ms-content-sha256": digest, "Content-Type": "application/json",
                   "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"}
        return ask(method, path, headers=headers, data=data or None)

    def test_assignments_and_the_exchange(self):
        user = SETUP["users"][2]
        path = f"/access/teamsExtension/tenants/{SETUP['tenantId']}/assignments/{user['objectId']}?api-version=2025-06-30"
        exchange = "/access/teamsExtension/:exchangeAccessToken?api-version=2025-06-30"
        token = entra_token("https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls", user)
        bearer = {"Authorization": f"Bearer {token}"}
        self.signed("DELETE", path)
        for refused in (lambda: self.signed("GET", path), lambda: ask("POST", exchange, {}, bearer)):
            with self.assertRaises(urllib.error.HTTPError):
                refused()
        for principal in ({"principalType": "user", "clientIds": [SETUP["deskClientId"]]}, {"principalType": "user"}):
            self.assertEqual(self.signed("PUT", path, principal)["principalType"], "user")
        self.assertEqual(self.signed("GET", path)["objectId"], user["objectId"])
        answer = ask("POST", exchange, {}, bearer)
        self.assertEqual(answer["identity"]["id"], user["contactCenterRawId"])


if __name__ == "__main__":
    unittest.main()
