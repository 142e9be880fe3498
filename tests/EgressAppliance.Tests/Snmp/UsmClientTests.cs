using System.Net;
using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Snmp;

/// <summary>The client of version 3 against an agent that follows the RFC, and against one that lies.</summary>
public sealed class UsmClientTests : IAsyncDisposable
{
    private static readonly ObjectIdentifier Name = ObjectIdentifier.Parse("1.3.6.1.2.1.1.3.0");
    private static readonly UsmUser Edge = new("edge", AuthenticationProtocol.HmacSha256, "authpass123", PrivacyProtocol.Aes128, "privpass123");

    private readonly FakeUsmAgent _agent = new(Edge);
    private SnmpClient? _client;

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        await _agent.DisposeAsync();
    }

    private SnmpClient Client(UsmUser? user = null, TimeProvider? time = null) => _client = new(
        new SnmpClientOptions { Agent = _agent.EndPoint, Credentials = user ?? Edge, Timeout = time is null ? ScriptedResponder.Patience : TimeSpan.FromSeconds(2), Retries = 0 }, time);

    private async Task<SnmpResult> GetAsync() => await (_client ?? Client()).GetAsync([Name]);

    private async Task GetsAsync()
    {
        SnmpResult result = await GetAsync();
        Assert.True(result.IsOk, result.Message);
        Assert.Equal(SnmpValue.TimeTicks(42), result.Bindings[0].Value);
    }

    /// <summary>Gets while a clock of the test's own runs, which is what a request without an answer waits for.</summary>
    private async Task<SnmpResult> GetInVainAsync(ManualTimeProvider time)
    {
        int unanswered = _agent.Unanswered;
        Task<SnmpResult> get = _client!.GetAsync([Name]);
        while (!get.IsCompleted)
        {
            if (_agent.Unanswered > unanswered)
            {
                // The client's clock ran before the message left, and nothing will come.
                unanswered++;
                time.Advance(TimeSpan.FromSeconds(2));
            }

            await Task.Delay(1);
        }

        return await get;
    }

    public static TheoryData<AuthenticationProtocol, PrivacyProtocol> Protocols()
    {
        TheoryData<AuthenticationProtocol, PrivacyProtocol> all = new() { { AuthenticationProtocol.None, PrivacyProtocol.None } };
        foreach (AuthenticationProtocol authentication in Enum.GetValues<AuthenticationProtocol>().Where(a => a != AuthenticationProtocol.None))
        {
            foreach (PrivacyProtocol privacy in Enum.GetValues<PrivacyProtocol>())
            {
                all.Add(authentication, privacy);
            }
        }

        return all;
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task GetAsync_every_pair_of_protocols_is_answered(AuthenticationProtocol authentication, PrivacyProtocol privacy)
    {
        using UsmUser user = new(
            "u", authentication, authentication == AuthenticationProtocol.None ? null : "authpass123", privacy, privacy == PrivacyProtocol.None ? null : "privpass123");
        _agent.User = user;
        Client(user);

        await GetsAsync();
        await GetsAsync();
        Assert.All(_agent.Received.Skip(1), header => Assert.Equal(user.Level, header.Level));
    }

    [Fact]
    public async Task GetAsync_first_finds_engine_and_clock_and_then_sends_one_message_a_request()
    {
        await GetsAsync();
        Assert.Equal(
            [(0, 0, 0), (5, 0, 0), (5, 5, 10_000)], _agent.Received.Select(header => (header.EngineId.Octets.Length, header.Boots, header.Time / 100 * 100)));
        await GetsAsync();
        Assert.Equal(4, _agent.Received.Count);
        Assert.Equal(4, _agent.Received.Select(header => header.MessageId).Distinct().Count());
        Assert.Equal(2, _client!.Statistics.Answers);
    }

    [Fact]
    public async Task GetAsync_over_ipv6_and_a_walk_work()
    {
        await using FakeUsmAgent agent = new(Edge, IPAddress.IPv6Loopback);
        for (uint row = 1; row <= 100; row++)
        {
            agent.Table.Set(Name.Append(row), SnmpValue.Integer32((int)row));
        }

        await using SnmpClient client = new(new SnmpClientOptions { Agent = agent.EndPoint, Credentials = Edge, Timeout = ScriptedResponder.Patience });
        SnmpResult walk = await client.WalkAsync(Name);

        Assert.Equal((SnmpOutcome.Ok, 100), (walk.Outcome, walk.Bindings.Count));
    }

    [Fact]
    public async Task Restarted_agent_is_followed_in_the_same_request()
    {
        await GetsAsync();
        _agent.Boots++;
        _agent.Time = 1;
        await GetsAsync();
        Assert.Equal(5, _agent.Received.Count);
        Assert.Equal((6, 1), (_agent.Received[^1].Boots, Math.Min(_agent.Received[^1].Time, 1)));
    }

    [Fact]
    public async Task Clock_that_jumps_ahead_is_followed()
    {
        await GetsAsync();
        _agent.Time += 1000;
        await GetsAsync();
    }

    [Theory]
    [InlineData(5, 1000)]
    [InlineData(4, 20_000)]
    public async Task Clock_that_goes_back_is_refused_with_the_remedy(int boots, int time)
    {
        await GetsAsync();
        (_agent.Boots, _agent.Time) = (boots, time);

        SnmpResult result = await GetAsync();

        Assert.Equal(SnmpOutcome.NotInTimeWindow, result.Outcome);
        Assert.Contains("has gone back in time", result.Message, StringComparison.Ordinal);
        Assert.Contains("new engine ID", result.Message, StringComparison.Ordinal);

        // Nothing was taken over: the old clock is still good.
        (_agent.Boots, _agent.Time) = (5, 10_000);
        await GetsAsync();
    }

    [Fact]
    public async Task Used_up_boots_counter_is_told()
    {
        _agent.Boots = int.MaxValue;
        SnmpResult result = await GetAsync();

        Assert.Equal(SnmpOutcome.NotInTimeWindow, result.Outcome);
        Assert.Contains("used up its boots counter", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Agent_that_never_finds_a_request_in_time_is_left_after_few_messages()
    {
        _agent.NeverInTime = true;
        SnmpResult result = await GetAsync();

        Assert.Equal(SnmpOutcome.NotInTimeWindow, result.Outcome);
        Assert.Equal(4, _agent.Received.Count);
    }

    [Theory]
    [InlineData("nobody", AuthenticationProtocol.HmacSha256, "authpass123", PrivacyProtocol.Aes128, SnmpOutcome.UnknownUser, "create the user there")]
    [InlineData("edge", AuthenticationProtocol.HmacSha256, "otherpass123", PrivacyProtocol.Aes128, SnmpOutcome.WrongDigest, "compare the password and the protocol (HmacSha256)")]
    [InlineData("edge", AuthenticationProtocol.HmacSha512, "authpass123", PrivacyProtocol.Aes128, SnmpOutcome.WrongDigest, "compare the password and the protocol (HmacSha512)")]
    [InlineData("edge", AuthenticationProtocol.HmacSha256, "authpass123", PrivacyProtocol.None, SnmpOutcome.Ok, "")]
    public async Task Refusal_has_its_outcome_and_names_the_remedy(
        string name, AuthenticationProtocol authentication, string password, PrivacyProtocol privacy, SnmpOutcome outcome, string message)
    {
        using UsmUser user = new(name, authentication, password, privacy, privacy == PrivacyProtocol.None ? null : "privpass123");
        Client(user);

        SnmpResult result = await GetAsync();

        Assert.Equal(outcome, result.Outcome);
        Assert.Contains(message, result.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pass123", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Level_that_the_agent_does_not_serve_is_told()
    {
        using UsmUser plain = new("edge");
        _agent.User = plain;

        SnmpResult result = await GetAsync();

        Assert.Equal(SnmpOutcome.UnsupportedSecurityLevel, result.Outcome);
        Assert.Contains("create the user there with HmacSha256 and Aes128", result.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("otherpriv123", "", SnmpOutcome.DecryptionError, "compare the privacy password and the protocol (Aes128)")]
    [InlineData("privpass123", "nowhere", SnmpOutcome.UnknownContext, "not in 'nowhere'")]
    public async Task Silence_of_an_agent_that_cannot_read_the_request_is_explained(string privacyPassword, string context, SnmpOutcome outcome, string message)
    {
        using UsmUser user = new("edge", AuthenticationProtocol.HmacSha256, "authpass123", PrivacyProtocol.Aes128, privacyPassword) { ContextName = context };
        ManualTimeProvider time = new();
        Client(user, time);

        SnmpResult first = await GetInVainAsync(time);
        int messages = _agent.Received.Count;
        SnmpResult second = await GetInVainAsync(time);

        Assert.Equal((outcome, outcome), (first.Outcome, second.Outcome));
        Assert.Contains(message, first.Message, StringComparison.Ordinal);
        Assert.Equal(first.Message, second.Message);

        // Asked why once, not each time.
        Assert.Equal(messages + 1, _agent.Received.Count);
    }

    [Fact]
    public async Task Engine_that_was_exchanged_is_followed_unless_one_is_given()
    {
        await GetsAsync();
        _agent.Engine = FakeUsmAgent.Id("0x8000000002");
        await GetsAsync();
        await _client!.DisposeAsync();

        using UsmUser bound = new("edge", AuthenticationProtocol.HmacSha256, "authpass123", PrivacyProtocol.Aes128, "privpass123") { EngineId = FakeUsmAgent.Id("0x8000000001") };
        Client(bound);
        SnmpResult result = await GetAsync();

        Assert.Equal(SnmpOutcome.WrongEngineId, result.Outcome);
        Assert.Contains("does not have the engine ID 0x8000000001 but 0x8000000002", result.Message, StringComparison.Ordinal);
        _agent.Engine = FakeUsmAgent.Id("0x8000000001");
        await GetsAsync();
    }

    [Fact]
    public async Task Forged_report_of_another_engine_costs_one_request_and_leaves_engine_and_clock()
    {
        await GetsAsync();
        EngineId own = _agent.Engine;
        bool forge = true;
        _agent.Send = (request, answer) =>
        {
            if (!forge)
            {
                return [answer];
            }

            _agent.Engine = FakeUsmAgent.Id("0x80000000ff");
            byte[] report = _agent.Report(request, 4);
            _agent.Engine = own;
            return [report];
        };
        SnmpResult result = await GetAsync();
        forge = false;
        int before = _agent.Received.Count;

        Assert.Equal(SnmpOutcome.WrongEngineId, result.Outcome);
        await GetsAsync();
        Assert.Equal(before + 1, _agent.Received.Count);
        Assert.Equal((own, 5), (_agent.Received[^1].EngineId, _agent.Received[^1].Boots));
    }

    [Fact]
    public async Task Time_report_without_proof_is_ignored()
    {
        await GetsAsync();
        _agent.Send = (request, answer) =>
        {
            _agent.Boots = 99;
            byte[] forged = _agent.Report(request, 2);
            _agent.Boots = 5;
            return [forged, answer];
        };

        await GetsAsync();
        Assert.Equal(1, _client!.Statistics.NotAuthentic);
        await GetsAsync();
        Assert.Equal(5, _agent.Received[^1].Boots);
    }

    [Fact]
    public async Task Answers_that_are_forged_replayed_or_late_are_counted_and_ignored()
    {
        byte[]? earlier = null;
        _agent.Send = (request, answer) =>
        {
            if (request.Level == SecurityLevel.NoAuthNoPriv || request.Boots == 0)
            {
                return [answer];
            }

            using LocalizedKeys keys = Edge.Localize(_agent.Engine);
            ScopedPdu lie = new(_agent.Engine, "", SnmpPdu.Response(1, [new VarBind(Name, SnmpValue.TimeTicks(666))]));
            byte[] lower = UsmDatagram.Encode(_agent.Header(request, SecurityLevel.NoAuthNoPriv), lie);
            byte[] noPrivacy = UsmDatagram.Encode(_agent.Header(request, SecurityLevel.AuthNoPriv), lie, keys);
            byte[] otherRequest = UsmDatagram.Encode(_agent.Header(request, SecurityLevel.AuthPriv), lie, keys, 1);
            byte[] otherMessage = UsmDatagram.Encode(_agent.Header(request, SecurityLevel.AuthPriv) with { MessageId = request.MessageId ^ 1 }, lie, keys, 2);
            byte[] changed = [.. answer];
            changed[^1] ^= 1;
            byte[][] sent = [lower, noPrivacy, otherRequest, otherMessage, changed, [1, 2, 3], .. earlier is null ? Array.Empty<byte[]>() : [earlier], answer];
            earlier = answer;
            return sent;
        };

        await GetsAsync();
        await GetsAsync();

        SnmpClientStatistics statistics = _client!.Statistics;
        Assert.Equal((2, 1, 4, 2, 6), (statistics.Answers, statistics.Late, statistics.Foreign, statistics.Malformed, statistics.NotAuthentic));
    }

    [Fact]
    public async Task TooBig_is_split_in_version_3_as_well()
    {
        _agent.Send = (request, answer) =>
        {
            using LocalizedKeys keys = Edge.Localize(_agent.Engine);
            UsmDatagram.TryRead(answer, out UsmDatagram message);
            message.Open(keys, out ScopedPdu? scoped);
            return scoped!.Pdu is { Type: PduType.Response, Bindings.Count: > 2 }
                ? [UsmDatagram.Encode(message.Header, scoped with { Pdu = SnmpPdu.Response(scoped.Pdu.RequestId, [], SnmpErrorStatus.TooBig) }, keys, 9)]
                : [answer];
        };

        SnmpResult result = await Client().GetAsync([Name, Name, Name, Name, Name]);

        Assert.True(result.IsOk, result.Message);
        Assert.Equal(5, result.Bindings.Count);
    }

    /// <summary>A user without authentication on a network where somebody sits between: nothing helps, but nothing crashes either.</summary>
    [Fact]
    public async Task Unusable_engine_id_is_told()
    {
        _agent.Engine = EngineId.TryCreate([1, 2, 3], out EngineId engine) ? engine : default;
        SnmpResult result = await GetAsync();

        Assert.Equal(SnmpOutcome.WrongEngineId, result.Outcome);
        Assert.Contains("5 to 32 octets", result.Message, StringComparison.Ordinal);
    }
}
