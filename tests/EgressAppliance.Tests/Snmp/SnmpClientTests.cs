using System.Net;
using System.Net.Sockets;
using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Snmp;

public sealed class SnmpClientTests : IAsyncDisposable
{
    private static readonly Community Test = new("test");
    private static readonly ObjectIdentifier Name = ObjectIdentifier.Parse("1.3.6.1.2.1.1.3.0");
    private static readonly ObjectIdentifier Column = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.1");

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedResponder _responder = new();
    private readonly SnmpClient _client;

    public SnmpClientTests() => _client = Client(_responder.EndPoint);

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _responder.Dispose();
    }

    private SnmpClient Client(IPEndPoint agent, int retries = 1) =>
        new(new SnmpClientOptions { Agent = agent, Credentials = Test, Timeout = TimeSpan.FromSeconds(2), Retries = retries }, _time);

    private static SnmpAgent Agent(MibTable table, int maxMessageBytes = SnmpAgent.DefaultMaxMessageBytes, IPAddress? address = null) =>
        new(new IPEndPoint(address ?? IPAddress.Loopback, 0), Test, table, maxMessageBytes);

    private static MibTable Names(int count)
    {
        MibTable table = new();
        for (uint row = 1; row <= count; row++)
        {
            table.Set(Column.Append(row), SnmpValue.OctetString($"ge-0/0/{row}"));
        }

        table.Set(ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.2.1"), SnmpValue.Counter32(1));
        return table;
    }

    [Fact]
    public async Task GetAsync_agent_answers_in_the_order_asked()
    {
        await using SnmpAgent agent = Agent(Names(3));
        await using SnmpClient client = Client(agent.LocalEndPoint);

        SnmpResult result = await client.GetAsync([Column.Append(2), Column.Append(1), Column.Append(7)]);

        Assert.True(result.IsOk, result.Message);
        Assert.Equal(
            ["OctetString \"ge-0/0/2\"", "OctetString \"ge-0/0/1\"", "NoSuchInstance"], result.Bindings.Select(binding => binding.Value.ToString()));
        Assert.True(SpinWait.SpinUntil(() => agent.Statistics.Answered == 1, ScriptedResponder.Patience));
    }

    [Fact]
    public async Task GetAsync_over_ipv6_works()
    {
        await using SnmpAgent agent = Agent(Names(1), address: IPAddress.IPv6Loopback);
        await using SnmpClient client = Client(agent.LocalEndPoint);

        Assert.True((await client.GetAsync([Column.Append(1)])).IsOk);
    }

    [Fact]
    public async Task WalkAsync_reads_the_column_and_nothing_behind()
    {
        await using SnmpAgent agent = Agent(Names(250));
        await using SnmpClient client = Client(agent.LocalEndPoint);

        SnmpResult walk = await client.WalkAsync(Column);

        Assert.True(walk.IsOk, walk.Message);
        Assert.Equal(Enumerable.Range(1, 250).Select(row => (uint)row), walk.Bindings.Select(binding => binding.Name.Last));
        Assert.InRange(client.Statistics.Requests, 13, 14);
    }

    [Fact]
    public async Task WalkAsync_small_messages_of_the_agent_only_cost_more_requests()
    {
        await using SnmpAgent agent = Agent(Names(50), maxMessageBytes: 484);
        await using SnmpClient client = Client(agent.LocalEndPoint);

        SnmpResult walk = await client.WalkAsync(Column, maxRepetitions: 50);

        Assert.Equal((SnmpOutcome.Ok, 50), (walk.Outcome, walk.Bindings.Count));
    }

    [Fact]
    public async Task WalkAsync_stops_at_its_limit()
    {
        await using SnmpAgent agent = Agent(Names(50));
        await using SnmpClient client = Client(agent.LocalEndPoint);

        SnmpResult walk = await client.WalkAsync(Column, maxBindings: 30);

        Assert.Equal((SnmpOutcome.LimitReached, 30), (walk.Outcome, walk.Bindings.Count));
    }

    [Fact]
    public async Task WalkAsync_agent_that_goes_in_circles_is_left()
    {
        Task<SnmpResult> walk = _client.WalkAsync(Column);
        SnmpPdu request = await _responder.ReceiveAsync();
        VarBind[] circle = [new(Column.Append(1), SnmpValue.Integer32(1)), new(Column.Append(2), SnmpValue.Integer32(2)), new(Column.Append(1), SnmpValue.Integer32(1))];
        _responder.Send(SnmpPdu.Response(request.RequestId, circle));

        Assert.Equal(SnmpOutcome.BadAnswer, (await walk).Outcome);
    }

    [Fact]
    public async Task GetAsync_tooBig_is_split_until_it_fits()
    {
        await using SnmpAgent agent = Agent(Names(60), maxMessageBytes: 484);
        await using SnmpClient client = Client(agent.LocalEndPoint);

        SnmpResult result = await client.GetAsync([.. Enumerable.Range(1, 60).Select(row => Column.Append((uint)row))]);

        Assert.True(result.IsOk, result.Message);
        Assert.Equal(Enumerable.Range(1, 60).Select(row => SnmpValue.OctetString($"ge-0/0/{row}")), result.Bindings.Select(binding => binding.Value));
    }

    [Fact]
    public async Task GetAsync_one_variable_that_is_too_big_is_an_agent_error()
    {
        MibTable table = new();
        table.Set(Name, SnmpValue.OctetString(new string('x', 600)));
        await using SnmpAgent agent = Agent(table, maxMessageBytes: 484);
        await using SnmpClient client = Client(agent.LocalEndPoint);

        SnmpResult result = await client.GetAsync([Name]);

        Assert.Equal((SnmpOutcome.AgentError, SnmpErrorStatus.TooBig), (result.Outcome, result.ErrorStatus));
    }

    [Fact]
    public async Task GetBulkAsync_tooBig_asks_for_fewer_repetitions()
    {
        Task<SnmpResult> get = _client.GetBulkAsync(0, 8, [Column]);
        SnmpPdu first = await _responder.ReceiveAsync();
        _responder.Send(SnmpPdu.Response(first.RequestId, [], SnmpErrorStatus.TooBig));
        SnmpPdu second = await _responder.ReceiveAsync();
        _responder.Send(SnmpPdu.Response(second.RequestId, [new VarBind(Column.Append(1), SnmpValue.Integer32(1))]));

        Assert.Equal((8, 4), (first.MaxRepetitions, second.MaxRepetitions));
        Assert.True((await get).IsOk);
    }

    [Fact]
    public async Task GetAsync_lost_answer_is_asked_for_again_with_the_same_id()
    {
        Task<SnmpResult> get = _client.GetAsync([Name]);
        SnmpPdu lost = await _responder.ReceiveAsync();
        _time.Advance(TimeSpan.FromSeconds(2));
        SnmpPdu again = await _responder.ReceiveAsync();
        _responder.Send(ScriptedResponder.Answer(again, SnmpValue.TimeTicks(7)));

        Assert.Equal(SnmpValue.TimeTicks(7), (await get).Bindings[0].Value);
        Assert.Equal(lost.RequestId, again.RequestId);
        Assert.Equal((1, 1, 0), (_client.Statistics.Requests, _client.Statistics.Retries, _client.Statistics.Timeouts));
    }

    [Fact]
    public async Task GetAsync_no_answer_says_what_may_be_wrong_and_never_the_community()
    {
        Task<SnmpResult> get = _client.GetAsync([Name]);
        await _responder.ReceiveAsync();
        _time.Advance(TimeSpan.FromSeconds(2));
        await _responder.ReceiveAsync();
        _time.Advance(TimeSpan.FromSeconds(2));
        SnmpResult result = await get;

        Assert.Equal(SnmpOutcome.Timeout, result.Outcome);
        Assert.Equal($"no answer from {_responder.EndPoint} in 4 s (2 tries): wrong community, view or address", result.Message);
        Assert.Equal(1, _client.Statistics.Timeouts);
    }

    [Fact]
    public async Task GetAsync_late_and_duplicate_answers_are_counted_and_ignored()
    {
        Task<SnmpResult> first = _client.GetAsync([Name]);
        SnmpPdu slow = await _responder.ReceiveAsync();
        _time.Advance(TimeSpan.FromSeconds(2));
        await _responder.ReceiveAsync();
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(SnmpOutcome.Timeout, (await first).Outcome);

        Task<SnmpResult> second = _client.GetAsync([Name]);
        SnmpPdu request = await _responder.ReceiveAsync();
        _responder.Send(ScriptedResponder.Answer(slow, SnmpValue.TimeTicks(1)));
        _responder.Send(ScriptedResponder.Answer(slow, SnmpValue.TimeTicks(1)));
        _responder.Send(ScriptedResponder.Answer(request, SnmpValue.TimeTicks(2)));
        _responder.Send(ScriptedResponder.Answer(request, SnmpValue.TimeTicks(3)));

        Assert.Equal(SnmpValue.TimeTicks(2), (await second).Bindings[0].Value);

        Task<SnmpResult> third = _client.GetAsync([Name]);
        _responder.Send(ScriptedResponder.Answer(await _responder.ReceiveAsync(), SnmpValue.TimeTicks(4)));
        Assert.Equal(SnmpValue.TimeTicks(4), (await third).Bindings[0].Value);
        Assert.Equal(3, _client.Statistics.Late);
    }

    [Fact]
    public async Task GetAsync_foreign_and_malformed_datagrams_are_counted_and_ignored()
    {
        using ScriptedResponder stranger = new();
        using ScriptedResponder otherCommunity = new("other");
        Task<SnmpResult> get = _client.GetAsync([Name]);
        SnmpPdu request = await _responder.ReceiveAsync();
        SnmpPdu forged = ScriptedResponder.Answer(request, SnmpValue.TimeTicks(666));
        stranger.Send(forged, _responder.Asker);
        _responder.Send(otherCommunity.Codec.Encode(forged));
        _responder.Send(forged with { RequestId = request.RequestId == 1 ? 2 : 1 });
        _responder.Send([0x30, 0x82]);
        _responder.Send(forged with { Type = PduType.Get });
        _responder.Send(ScriptedResponder.Answer(request, SnmpValue.TimeTicks(5)));

        Assert.Equal(SnmpValue.TimeTicks(5), (await get).Bindings[0].Value);
        Assert.Equal((3, 2, 0), (_client.Statistics.Foreign, _client.Statistics.Malformed, _client.Statistics.Late));
    }

    [Fact]
    public async Task GetAsync_answer_from_another_address_is_named_in_the_timeout()
    {
        await using SnmpClient client = Client(_responder.EndPoint, retries: 0);
        using ScriptedResponder other = new();
        Task<SnmpResult> get = client.GetAsync([Name]);
        SnmpPdu request = await _responder.ReceiveAsync();
        other.Send(ScriptedResponder.Answer(request, SnmpValue.TimeTicks(1)), _responder.Asker);
        Assert.True(SpinWait.SpinUntil(() => client.Statistics.Foreign == 1, ScriptedResponder.Patience));
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(
            $"{_responder.EndPoint} does not answer, {other.EndPoint} does: the router answers from another address than the one asked",
            (await get).Message);
    }

    [Fact]
    public async Task GetAsync_answer_about_other_variables_is_refused()
    {
        Task<SnmpResult> get = _client.GetAsync([Name]);
        SnmpPdu request = await _responder.ReceiveAsync();
        _responder.Send(SnmpPdu.Response(request.RequestId, [new VarBind(Column, SnmpValue.Integer32(1))]));

        Assert.Equal(SnmpOutcome.BadAnswer, (await get).Outcome);
    }

    [Fact]
    public async Task GetAsync_error_status_names_the_variable()
    {
        Task<SnmpResult> get = _client.GetAsync([Name]);
        SnmpPdu request = await _responder.ReceiveAsync();
        _responder.Send(SnmpPdu.Response(request.RequestId, request.Bindings, SnmpErrorStatus.GenErr, 1));
        SnmpResult result = await get;

        Assert.Equal((SnmpOutcome.AgentError, SnmpErrorStatus.GenErr), (result.Outcome, result.ErrorStatus));
        Assert.EndsWith($"error-status GenErr for {Name}", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetAsync_can_be_cancelled_and_the_client_used_again()
    {
        using CancellationTokenSource cancel = new();
        Task<SnmpResult> get = _client.GetAsync([Name], cancel.Token);
        await _responder.ReceiveAsync();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);

        Task<SnmpResult> next = _client.GetAsync([Name]);
        _responder.Send(ScriptedResponder.Answer(await _responder.ReceiveAsync(), SnmpValue.TimeTicks(1)));
        Assert.True((await next).IsOk);
    }

    [Fact]
    public async Task DisposeAsync_ends_a_waiting_request()
    {
        Task<SnmpResult> get = _client.GetAsync([Name]);
        await _responder.ReceiveAsync();
        await _client.DisposeAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _client.GetAsync([Name]));
    }

    [Fact]
    public async Task Agent_drops_and_counts_what_it_must_not_answer()
    {
        await using SnmpAgent agent = Agent(Names(1));
        using ScriptedResponder sender = new();
        using ScriptedResponder otherCommunity = new("other");
        byte[] version1 = sender.Codec.Encode(SnmpPdu.Request(PduType.Get, 1, []));
        version1[4] = 0;
        otherCommunity.Send(SnmpPdu.Request(PduType.Get, 1, [Name]), agent.LocalEndPoint);
        sender.Send(version1, agent.LocalEndPoint);
        sender.Send([1, 2, 3], agent.LocalEndPoint);
        sender.Send(SnmpPdu.Response(1, []), agent.LocalEndPoint);

        // The agent serves in order of arrival: once this is answered, the others have been dealt with.
        sender.Send(SnmpPdu.Request(PduType.Get, 2, [Column.Append(1)]), agent.LocalEndPoint);
        Assert.Equal(2, (await sender.ReceiveAsync()).RequestId);

        Assert.Equal((5, 1, 1, 1, 1), (agent.Statistics.Received, agent.Statistics.WrongCommunity, agent.Statistics.UnsupportedVersion, agent.Statistics.Malformed, agent.Statistics.Unexpected));
    }

    [Fact]
    public async Task Agent_port_in_use_is_a_socket_error()
    {
        await using SnmpAgent agent = Agent(Names(1));
        Assert.Throws<SocketException>(() => new SnmpAgent(agent.LocalEndPoint, Test, Names(1)));
    }
}
