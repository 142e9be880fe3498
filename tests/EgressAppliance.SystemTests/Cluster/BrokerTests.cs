using System.Collections.Concurrent;
using EgressAppliance.Cluster.Broker;
using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Net;
using EgressAppliance.SystemTests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>Publishers and consumers of deltas with a real RabbitMQ, which is stopped, killed, frozen and misconfigured under them.</summary>
public sealed class BrokerTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [BrokerFact]
    public async Task Every_controller_hears_every_collector_through_restarts_of_the_broker()
    {
        await using RabbitServer server = await RabbitServer.StartAsync(output);
        Listener first = new(), second = new();
        await using DeltaConsumer one = Listen(server, "ctl1", first), two = Listen(server, "ctl2", second);
        await Until.TrueAsync("both consumers", () => Task.FromResult(one.Status.Problem is null && two.Status.Problem is null), Limit, output);
        await using DeltaPublisher publisher = Publish(server, "c1");
        int sent = 0;
        await SendAsync(20);

        // RabbitMQ 3.10 writes the register of its quorum queues down some seconds after one is made; killed before, it has a queue that takes nothing.
        await Task.Delay(TimeSpan.FromSeconds(7));
        await Until.TrueAsync("the first ticks at both", () => Task.FromResult(first.Count == 20 && second.Count == 20), Limit, output);

        Task<bool> restarted = RestartAsync(kill: true);
        await SendAsync(30, until: restarted);
        await AllAsync();
        restarted = RestartAsync(kill: false);
        await SendAsync(30, until: restarted);
        await AllAsync();
        Assert.True(publisher.Status.Connections >= 3, $"{publisher.Status.Connections} connections");
        Assert.Equal((0, 0), (publisher.Status.Dropped, publisher.Status.Waiting));
        Assert.Null(publisher.Status.Problem);
        output.WriteLine($"{sent} ticks; sent again {publisher.Status.Repeated}, delivered again {one.Status.Repeated} and {two.Status.Repeated}");

        async Task<bool> RestartAsync(bool kill)
        {
            await server.StopAsync(kill);
            await server.StartNodeAsync();
            return true;
        }

        async Task SendAsync(int count, Task? until = null)
        {
            for (int i = 0; i < count || until is { IsCompleted: false }; i++)
            {
                publisher.Publish(Delta("c1", ++sent));
                await Task.Delay(20);
            }

            if (until is not null)
            {
                await until;
            }
        }

        async Task AllAsync()
        {
            foreach (Listener listener in new[] { first, second })
            {
                await Until.ValueAsync(
                    "every tick", () => Task.FromResult((listener.Distinct, publisher.Status, one.Status, two.Status)), seen => seen.Distinct == sent, Limit, output);
                listener.AssertInOrder();
            }
        }
    }

    [BrokerFact]
    public async Task While_the_broker_is_away_the_newest_ticks_are_kept_and_a_frozen_one_is_given_up()
    {
        await using RabbitServer server = await RabbitServer.StartAsync(output);
        Listener heard = new();
        await using DeltaConsumer consumer = Listen(server, "ctl1", heard);
        await Until.TrueAsync("the consumer", () => Task.FromResult(consumer.Status.Problem is null), Limit, output);
        await using DeltaPublisher publisher = Publish(server, "c1", buffer: 10);
        publisher.Publish(Delta("c1", 1));
        await Until.TrueAsync("the first tick", () => Task.FromResult(heard.Count == 1), Limit, output);

        // Frozen: TCP still takes what is written.
        server.Node.Signal(PosixSignalNumber.Stop);
        for (int i = 2; i <= 50; i++)
        {
            publisher.Publish(Delta("c1", i));
        }

        Assert.Equal((39, 10), (publisher.Status.Dropped, publisher.Status.Waiting));
        await Until.TrueAsync("the frozen broker to be given up", () => Task.FromResult(publisher.Status.Problem is not null && consumer.Status.Problem is not null), TimeSpan.FromSeconds(20), output);
        output.WriteLine($"publisher: {publisher.Status.Problem}; consumer: {consumer.Status.Problem}");
        server.Node.Signal(PosixSignalNumber.Continue);
        await Until.TrueAsync("the last tick", () => Task.FromResult(heard.Has(50)), Limit, output);
        Assert.All(Enumerable.Range(41, 10), i => Assert.True(heard.Has(i), $"tick {i} is lost"));
        heard.AssertInOrder();
    }

    [BrokerFact]
    public async Task Troubles_are_told_in_words_and_nothing_hangs()
    {
        await using RabbitServer server = await RabbitServer.StartAsync(output, tls: true);
        BrokerOptions good = Options(server, "c1");

        // Nobody listens yet: told, and no reason to stop.
        await using (DeltaPublisher alone = new(good, TimeProvider.System, NullLogger<DeltaPublisher>.Instance))
        {
            alone.Start();
            alone.Publish(Delta("c1", 1));
            await Until.TrueAsync("the return", () => Task.FromResult(alone.Status.Returned == 1), Limit, output);
            Assert.Contains("no controller has a queue", alone.Status.Problem, StringComparison.Ordinal);
        }

        await AssertProblemAsync(good with { Password = "wrong" }, "cluster.password_file");
        await AssertProblemAsync(good with { VirtualHost = "/none" }, "cluster.virtual_host");
        await AssertProblemAsync(good with { Brokers = [("127.0.0.1", 1)] }, "refused");

        // A second broker is used when the first is none, TLS with the right authority.
        Listener heard = new();
        BrokerOptions secured = good with { Brokers = [("127.0.0.1", 1), (server.Address, server.TlsPort)], Tls = new BrokerTls { CaFile = server.CaFile } };
        await using DeltaConsumer consumer = new(secured with { Box = "ctl1" }, heard.Take, TimeProvider.System, NullLogger<DeltaConsumer>.Instance);
        consumer.Start();
        await Until.TrueAsync("the consumer", () => Task.FromResult(consumer.Status.Problem is null), Limit, output);
        Assert.Equal($"127.0.0.1:{server.TlsPort}", consumer.Status.ConnectedTo);
        await using DeltaPublisher publisher = new(secured, TimeProvider.System, NullLogger<DeltaPublisher>.Instance);
        publisher.Start();
        publisher.Publish(Delta("c1", 1));
        await Until.TrueAsync("the tick", () => Task.FromResult(heard.Count == 1), Limit, output);

        // The authorities of the system do not know it.
        await AssertProblemAsync(secured with { Tls = new BrokerTls() }, "cluster.tls.ca_file");

        // A delta of another site, by mistake in this one's exchange.
        publisher.Publish(Delta("c1", 2) with { Site = "elsewhere" });
        await Until.TrueAsync("the refusal", () => Task.FromResult(consumer.Status.Unreadable.GetValueOrDefault("OtherSite") == 1), Limit, output);
        publisher.Publish(Delta("c1", 3));
        await Until.TrueAsync("the tick after it", () => Task.FromResult(heard.Has(3)), Limit, output);

        async Task AssertProblemAsync(BrokerOptions options, string words)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            await using (DeltaPublisher refused = new(options, TimeProvider.System, NullLogger<DeltaPublisher>.Instance))
            {
                refused.Start();
                await Until.ValueAsync("the problem", () => Task.FromResult(refused.Status.Problem ?? ""), p => p.Contains(words, StringComparison.OrdinalIgnoreCase), Limit, output);
                Assert.DoesNotContain(RabbitServer.Password, refused.Status.Problem, StringComparison.Ordinal);
                start = System.Diagnostics.Stopwatch.GetTimestamp();
            }

            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(15), "it does not end");
        }
    }

    [BrokerFact]
    public async Task Queue_that_does_not_answer_is_made_anew_and_keeps_nothing_from_the_others()
    {
        await using RabbitServer server = await RabbitServer.StartAsync(output);
        Listener good = new(), bad = new();
        await using DeltaConsumer one = Listen(server, "ctl1", good), two = Listen(server, "ctl2", bad);
        await Until.TrueAsync("both consumers", () => Task.FromResult(one.Status.Problem is null && two.Status.Problem is null), Limit, output);
        await using DeltaPublisher publisher = Publish(server, "c1");
        int sent = 0;
        using CancellationTokenSource enough = new();
        Task sending = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                publisher.Publish(Delta("c1", ++sent));
                await Task.Delay(300);
            }
        });
        await Until.TrueAsync("the first ticks at both", () => Task.FromResult(good.Count > 2 && bad.Count > 2), Limit, output);

        // As RabbitMQ 3.10 leaves one: in the list of queues, and without a process. That of a controller that is gone for good stays so.
        await two.DisposeAsync();
        await LoseLeaderAsync("ctl2");
        await Until.ValueAsync("ticks that are not confirmed", () => Task.FromResult(publisher.Status), s => s.Unconfirmed > 5, Limit, output);
        Assert.Contains("does not answer", publisher.Status.Problem, StringComparison.Ordinal);
        int heard = good.Count;
        await Until.TrueAsync("the other controller to hear on", () => Task.FromResult(good.Distinct > heard + 10), Limit, output);

        // It comes back, and finds its queue so.
        int before = bad.Count;
        await using DeltaConsumer again = Listen(server, "ctl2", bad);
        await Until.ValueAsync("the controller to hear again", () => Task.FromResult(again.Status), _ => bad.Count > before + 5, Limit, output);
        await Until.TrueAsync("confirmations", () => Task.FromResult(publisher.Status.Problem is null), Limit, output);

        // One that listens finds it, too.
        await LoseLeaderAsync("ctl2");
        await Until.ValueAsync("the loss to be found", () => Task.FromResult(again.Status), s => s.Problem is not null, Limit, output);
        output.WriteLine(again.Status.Problem ?? "");
        before = bad.Count;
        await Until.TrueAsync("the controller to hear once more", () => Task.FromResult(bad.Count > before + 5 && again.Status.Problem is null), Limit, output);
        await enough.CancelAsync();
        await sending;
        await Until.TrueAsync("the last tick at both", () => Task.FromResult(good.Has(sent) && bad.Has(sent)), Limit, output);
        Assert.Equal((sent, 0), (good.Distinct, publisher.Status.Dropped));
        good.AssertInOrder();
        bad.AssertInOrder();

        async Task LoseLeaderAsync(string box)
        {
            ShellResult stopped = await server.ControlAsync("eval", $"ra:stop_server(quorum_queues, {{'%2F_egress.lab.{box}', node()}}).");
            Assert.True(stopped.ExitCode == 0 && stopped.Output.Trim() == "ok", stopped.ToString());
        }
    }

    [BrokerFact]
    public async Task Nothing_is_lost_while_each_of_three_brokers_is_killed_in_turn()
    {
        await using RabbitServer first = await RabbitServer.StartAsync(output);
        await using RabbitServer second = await RabbitServer.StartAsync(output, first: first);
        await using RabbitServer third = await RabbitServer.StartAsync(output, first: first);
        RabbitServer[] nodes = [first, second, third];
        await Until.TrueAsync("three nodes", async () => await RunningAsync(first) == 3, Limit, output);
        Listener heard = new();
        await using DeltaConsumer consumer = new(
            Options(first, "ctl1") with { Brokers = [.. nodes.Reverse().Select(n => (n.Address, n.Port))] }, heard.Take, TimeProvider.System, NullLogger<DeltaConsumer>.Instance);
        consumer.Start();
        await Until.TrueAsync("the consumer", () => Task.FromResult(consumer.Status.Problem is null), Limit, output);
        await using DeltaPublisher publisher = new(
            Options(first, "c1") with { Brokers = [.. nodes.Select(n => (n.Address, n.Port))] }, TimeProvider.System, NullLogger<DeltaPublisher>.Instance);
        publisher.Start();
        int sent = 0;
        using CancellationTokenSource enough = new();
        Task sending = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                publisher.Publish(Delta("c1", ++sent));
                await Task.Delay(50);
            }
        });
        foreach (RabbitServer node in nodes)
        {
            await Until.TrueAsync("a replica of the queue on every node", async () => (await OnlineAsync(first)).Split(',').Length == 3, Limit, output);
            await node.StopAsync(kill: true);
            int before = sent;
            await Until.TrueAsync("ticks after the loss of a node", () => Task.FromResult(heard.Has(before + 20)), Limit, output);
            await node.StartNodeAsync();
        }

        await enough.CancelAsync();
        await sending;
        await Until.ValueAsync("every tick", () => Task.FromResult((heard.Distinct, publisher.Status, consumer.Status)), seen => seen.Distinct == sent, Limit, output);
        heard.AssertInOrder();
        Assert.Equal((0, 0), (publisher.Status.Dropped, publisher.Status.Unconfirmed));
        output.WriteLine($"{sent} ticks; sent again {publisher.Status.Repeated}, delivered again {consumer.Status.Repeated}");

        static async Task<int> RunningAsync(RabbitServer node) => int.Parse((await node.ControlAsync("eval", "length(rabbit_nodes:all_running()).")).Checked(), System.Globalization.CultureInfo.InvariantCulture);

        static async Task<string> OnlineAsync(RabbitServer node) => (await node.ControlAsync("-q", "list_queues", "online")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "";
    }

    private static BrokerOptions Options(RabbitServer server, string box) => new()
    {
        Site = "lab",
        Box = box,
        Brokers = [(server.Address, server.Port)],
        User = RabbitServer.User,
        Password = RabbitServer.Password,
        MaxBufferedTicks = 2000,
    };

    private static DeltaConsumer Listen(RabbitServer server, string box, Listener listener)
    {
        DeltaConsumer consumer = new(Options(server, box), listener.Take, TimeProvider.System, NullLogger<DeltaConsumer>.Instance);
        consumer.Start();
        return consumer;
    }

    private static DeltaPublisher Publish(RabbitServer server, string box, int buffer = 2000)
    {
        DeltaPublisher publisher = new(Options(server, box) with { MaxBufferedTicks = buffer }, TimeProvider.System, NullLogger<DeltaPublisher>.Instance);
        publisher.Start();
        return publisher;
    }

    private static TrafficDelta Delta(string box, long sequence) => new()
    {
        Site = "lab",
        Box = box,
        Run = 1,
        Sequence = sequence,
        Tick = sequence,
        Period = TimeSpan.FromSeconds(1),
        Length = TimeSpan.FromSeconds(1),
        Links = [new LinkDelta { Link = "isp-a", Prefixes = [IpPrefix.Parse("192.0.2.0/24")], Packets = [sequence], IpBytes = [100 * sequence] }],
    };

    /// <summary>What a controller heard.</summary>
    private sealed class Listener
    {
        private readonly ConcurrentQueue<long> _sequences = new();

        public int Count => _sequences.Count;

        public int Distinct => _sequences.Distinct().Count();

        public bool Has(long sequence) => _sequences.Contains(sequence);

        public void Take(TrafficDelta delta)
        {
            Assert.Equal(100 * delta.Sequence, delta.Links[0].IpBytes[0]);
            _sequences.Enqueue(delta.Sequence);
        }

        /// <summary>The first time that each came was after all before it.</summary>
        public void AssertInOrder()
        {
            long[] first = [.. _sequences.Distinct()];
            Assert.Equal(first.Order(), first);
        }
    }
}
