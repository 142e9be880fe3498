using EgressAppliance.Snmp;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Snmp;

/// <summary>The client of version 3 against net-snmp: every protocol, and every way to be refused.</summary>
public sealed class SnmpUserTests(ITestOutputHelper output)
{
    private static readonly ObjectIdentifier Uptime = ObjectIdentifier.Parse("1.3.6.1.2.1.1.3.0");

    // The words of net-snmp.
    private static readonly (AuthenticationProtocol Protocol, string Word)[] Authentications =
    [
        (AuthenticationProtocol.HmacMd5, "MD5"), (AuthenticationProtocol.HmacSha1, "SHA"), (AuthenticationProtocol.HmacSha224, "SHA-224"),
        (AuthenticationProtocol.HmacSha256, "SHA-256"), (AuthenticationProtocol.HmacSha384, "SHA-384"), (AuthenticationProtocol.HmacSha512, "SHA-512"),
    ];

    private static readonly (PrivacyProtocol Protocol, string Word)[] Privacies =
    [
        (PrivacyProtocol.None, ""), (PrivacyProtocol.Des, "DES"), (PrivacyProtocol.Aes128, "AES"), (PrivacyProtocol.Aes192, "AES-192"),
        (PrivacyProtocol.Aes256, "AES-256"), (PrivacyProtocol.Aes192Reeder, "AES-192-C"), (PrivacyProtocol.Aes256Reeder, "AES-256-C"),
    ];

    private const string Users =
        "createUser plain\nrouser plain noauth\n"
        + $"createUser signed SHA-256 {Snmpd.AuthPassword}\nrouser signed auth\n"
        + $"createUser edge SHA-256 {Snmpd.AuthPassword} AES {Snmpd.PrivPassword}\nrouser edge authpriv\n";

    [SystemFact]
    public async Task Every_level_and_pair_of_protocols_is_answered_over_both_families()
    {
        string config = "createUser plain\nrouser plain noauth\n" + string.Concat(
            from a in Authentications
            from p in Privacies
            select $"createUser {Name(a.Word, p.Word)} {a.Word} {Snmpd.AuthPassword}{(p.Word.Length > 0 ? $" {p.Word} {Snmpd.PrivPassword}" : "")}\nrouser {Name(a.Word, p.Word)} {(p.Word.Length > 0 ? "authpriv" : "auth")}\n");
        await using Snmpd agent = await Snmpd.StartAsync(config, output);
        int answered = 0;
        foreach (UsmUser user in (UsmUser[])[new UsmUser("plain"), .. from a in Authentications from p in Privacies select User(Name(a.Word, p.Word), a.Protocol, p.Protocol)])
        {
            foreach (bool ipv6 in (bool[])[false, true])
            {
                await using SnmpClient client = agent.Client(user, ipv6);
                SnmpResult first = await client.GetAsync([Uptime]);
                SnmpResult second = await client.GetAsync([Uptime]);
                Assert.True(first.IsOk && second.IsOk, $"{user}: {first.Message} {second.Message}");
                Assert.Equal(SnmpValueKind.TimeTicks, second.Bindings[0].Value.Kind);
                Assert.Equal((2L, 0L, 0L), (client.Statistics.Answers, client.Statistics.NotAuthentic, client.Statistics.Malformed));
                answered++;
            }

            user.Dispose();
        }

        Assert.Equal(2 * (1 + (Authentications.Length * Privacies.Length)), answered);
    }

    [SystemFact]
    public async Task Refusals_have_their_outcome_and_name_the_remedy()
    {
        await using Snmpd agent = await Snmpd.StartAsync(Users, output);
        EngineId? other = EngineId.TryParse("0x8000000001020304", out EngineId parsed) ? parsed : null;
        (UsmUser User, SnmpOutcome Outcome, string Message)[] cases =
        [
            (User("nobody", AuthenticationProtocol.HmacSha256, PrivacyProtocol.Aes128), SnmpOutcome.UnknownUser, "has no user 'nobody': create the user there"),
            (User("edge", AuthenticationProtocol.HmacSha256, PrivacyProtocol.Aes128, auth: "another-password"), SnmpOutcome.WrongDigest, "compare the password and the protocol (HmacSha256)"),
            (User("edge", AuthenticationProtocol.HmacSha1, PrivacyProtocol.Aes128), SnmpOutcome.WrongDigest, "compare the password and the protocol (HmacSha1)"),
            (User("edge", AuthenticationProtocol.HmacSha256, PrivacyProtocol.Aes128, priv: "another-password"), SnmpOutcome.DecryptionError, "compare the privacy password and the protocol (Aes128)"),
            (User("edge", AuthenticationProtocol.HmacSha256, PrivacyProtocol.Des), SnmpOutcome.DecryptionError, "compare the privacy password and the protocol (Des)"),
            (User("signed", AuthenticationProtocol.HmacSha256, PrivacyProtocol.Aes128), SnmpOutcome.UnsupportedSecurityLevel, "create the user there with HmacSha256 and Aes128"),
            (new UsmUser("plain", AuthenticationProtocol.HmacSha256, Snmpd.AuthPassword), SnmpOutcome.UnsupportedSecurityLevel, "create the user there with HmacSha256"),
            (User("edge", AuthenticationProtocol.HmacSha256, PrivacyProtocol.None), SnmpOutcome.AgentError, "access control"),
            (User("edge", AuthenticationProtocol.HmacSha256, PrivacyProtocol.Aes128, engine: other), SnmpOutcome.WrongEngineId, "does not have the engine ID 0x8000000001020304 but 0x"),
            (User("edge", AuthenticationProtocol.HmacSha256, PrivacyProtocol.Aes128, context: "nowhere"), SnmpOutcome.UnknownContext, "not in 'nowhere'"),
        ];
        foreach ((UsmUser user, SnmpOutcome outcome, string message) in cases)
        {
            await using SnmpClient client = agent.Client(user);
            SnmpResult result = await client.GetAsync([Uptime]);
            output.WriteLine($"{user}: {result.Outcome}: {result.Message}");
            Assert.Equal(outcome, result.Outcome);
            Assert.Contains(message, result.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("pass", result.Message.Replace("password", "", StringComparison.Ordinal), StringComparison.Ordinal);
            user.Dispose();
        }
    }

    [SystemFact]
    public async Task Restarted_agent_is_followed_and_one_that_lost_its_boots_counter_is_refused()
    {
        // A given engine ID stays when the stored state is lost.
        await using Snmpd agent = await Snmpd.StartAsync("engineID lab-engine\n" + Users, output);
        using UsmUser user = User("edge", AuthenticationProtocol.HmacSha256, PrivacyProtocol.Aes128);
        await using SnmpClient client = agent.Client(user);
        Assert.True((await client.GetAsync([Uptime])).IsOk);

        await agent.RestartAsync();
        SnmpResult restarted = await client.GetAsync([Uptime]);
        Assert.True(restarted.IsOk, restarted.Message);

        await agent.RestartAsync(forget: true);
        SnmpResult forgotten = await client.GetAsync([Uptime]);
        output.WriteLine(forgotten.Message);
        Assert.Equal(SnmpOutcome.NotInTimeWindow, forgotten.Outcome);
        Assert.Contains("has gone back in time", forgotten.Message, StringComparison.Ordinal);
        await using SnmpClient fresh = agent.Client(user);
        Assert.True((await fresh.GetAsync([Uptime])).IsOk);
    }

    private static string Name(string authentication, string privacy) => $"u-{authentication}-{privacy}".ToLowerInvariant();

    private static UsmUser User(
        string name, AuthenticationProtocol authentication, PrivacyProtocol privacy, string auth = Snmpd.AuthPassword, string priv = Snmpd.PrivPassword,
        EngineId? engine = null, string context = "") =>
        new(name, authentication, auth, privacy, privacy == PrivacyProtocol.None ? null : priv) { EngineId = engine, ContextName = context };
}
