// Entra and identities with @azure/identity, @azure/communication-identity and @azure/communication-common.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AzureCommunicationTokenCredential } from "@azure/communication-common";
import { CallAutomationClient } from "@azure/communication-call-automation";
import { CommunicationIdentityClient } from "@azure/communication-identity";
import { ClientSecretCredential } from "@azure/identity";
import { entraToken, setup } from "./surroundings.js";

const options = { authorityHost: setup.endpoint, disableInstanceDiscovery: true };

describe("Entra", () => {
  it("gives tokens for secrets", async () => {
    const credential = new ClientSecretCredential(setup.tenantId, setup.clientId, setup.clientSecret, options);
    const client = new CallAutomationClient(setup.endpoint, credential);
    // Let in, and there is none.
    await assert.rejects(client.getCallRecording().getState("x"), { statusCode: 404 });
    const wrong = new ClientSecretCredential(setup.tenantId, setup.clientId, "wrong", options);
    await assert.rejects(wrong.getToken("https://communication.azure.com//.default"), /AADSTS7000215/);
  });
});

describe("identities", () => {
  const client = new CommunicationIdentityClient(setup.connectionString);

  it("are made, given tokens and deleted", async () => {
    const user = await client.createUser();
    assert.match(user.communicationUserId, new RegExp(`^8:acs:${setup.resourceId}_`));
    assert.ok((await client.getToken(user, ["voip"])).expiresOn > new Date());
    await client.revokeTokens(user);
    await client.deleteUser(user);
    await assert.rejects(client.getToken(user, ["voip"]), { statusCode: 404 });
    const both = await client.createUserAndToken(["voip"], { tokenExpiresInMinutes: 60 });
    assert.ok(both.token && both.user.communicationUserId);
  });

  it("are given to users of Teams", async () => {
    const teamsUserAadToken = await entraToken("https://auth.msft.communication.azure.com/Teams.ManageCalls");
    const asked = { teamsUserAadToken, clientId: setup.deskClientId, userObjectId: setup.users[0].objectId };
    assert.ok((await client.getTokenForTeamsUser(asked)).token);
  });

  it("are exchanged for what agents' clients show", async () => {
    for (const scope of ["https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls", "https://communication.azure.com/clients/VoIP"]) {
      const tokenCredential = {
        getToken: async (scopes) => ({ token: await entraToken([scopes].flat().join(" ")), expiresOnTimestamp: Date.now() + 3_600_000 }),
      };
      const credential = new AzureCommunicationTokenCredential({ resourceEndpoint: setup.endpoint, tokenCredential, scopes: [scope] });
      const { token } = await credential.getToken();
      const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
      assert.ok(claims.skypeid.startsWith(`acs:${setup.resourceId}_`), claims.skypeid);
      credential.dispose();
    }
  });
});
