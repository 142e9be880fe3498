using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Comparison.Bgp.Daemons;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Bgp.Lab;
using EgressAppliance.Comparison.Bgp.Peer;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Bgp;

/// <summary>How fast the appliance's speaker reacts while another router keeps it busy.</summary>
/// <param name="Processors">Where the speaker could run.</param>
/// <param name="Loading">Milliseconds from a withdrawal sent to the override's withdrawal received, while a table came in; sorted.</param>
/// <param name="Purging">The same while that table went out again with its session; sorted.</param>
/// <param name="Idle">The same with nothing else going on; sorted.</param>
/// <param name="KeepaliveSeconds">The longest time between two KEEPALIVEs of a session, by router, the busy times included.</param>
/// <param name="Keepalives">How many intervals were seen.</param>
/// <param name="HoldTime">Hold time agreed on, seconds.</param>
/// <param name="Loads">How often the table came in.</param>
/// <param name="LoadSeconds">How long that took, in all.</param>
/// <param name="WakeUps">Milliseconds by which a thread that slept on processor 0 and 1 meanwhile was woken too late; sorted.</param>
internal sealed record LatencyResult(
    string Processors, double[] Loading, double[] Purging, double[] Idle, double[] KeepaliveSeconds, int Keepalives, double HoldTime, int Loads, double LoadSeconds, IReadOnlyList<double[]> WakeUps)
{
    /// <summary>The value that a share of the sorted ones do not pass (nearest rank).</summary>
    public static double Percentile(double[] sorted, double share) =>
        sorted.Length == 0 ? double.NaN : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"withdrawals, speaker on processor {Processors}: loading {Describe(Loading)}; purging {Describe(Purging)}; idle {Describe(Idle)}; keepalives at most {string.Join(" and ", KeepaliveSeconds.Select(s => s.ToString("0.00", CultureInfo.InvariantCulture)))} s apart, hold time {HoldTime} s; machine {string.Join(" and ", WakeUps.Select(Describe))}");

    private static string Describe(double[] sorted) => string.Create(
        CultureInfo.InvariantCulture, $"{sorted.Length}: p50 {Percentile(sorted, 0.5):0.0} p99 {Percentile(sorted, 0.99):0.0} max {Percentile(sorted, 1):0.0} ms");
}

/// <summary>
/// Router A sends the full table with three paths at full speed, loses its session, and again; router B has a small table with two paths of each prefix,
/// overrides lie on the second ones, and B withdraws these one by one. How long until the speaker takes back what lies on a path that is gone? The runner is both routers, so one clock
/// times both ends. Withdrawals are sent at fixed times whether the one before was answered or not: a speaker that stops for a while makes all that fall into
/// the stop late, not one.
/// </summary>
internal sealed class LatencyMeasurement : IDisposable
{
    private const int SmallTable = 2000;
    private const int Spacing = 4;
    private const int MostLoads = 20;
    private const ushort HoldTime = 9;
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);
    private readonly FeedFile _feed;
    private readonly string _processors;
    private readonly OwnSpeaker _speaker;
    private readonly ScriptedPeer _b;
    private readonly long[] _sent = new long[SmallTable];
    private readonly long[] _answered = new long[SmallTable];
    private readonly double[] _longest = new double[2];
    private int _keepalives;
    private int _next;

    private LatencyMeasurement(FeedFile feed, string processors)
    {
        _feed = feed;
        _processors = processors;
        _speaker = new OwnSpeaker(routers: 2, isInternal: true, HoldTime, processors);
        _b = _speaker.Connect(1, Identity(1));
        _b.UpdateReceived += OnUpdate;
    }

    /// <summary>Measures.</summary>
    /// <param name="feed">A's table, as an internal peer sends it.</param>
    /// <param name="wanted">Least number of withdrawals while it comes in.</param>
    /// <param name="processors">Where the speaker may run, as taskset(1) takes it.</param>
    public static LatencyResult Run(FeedFile feed, int wanted, string processors)
    {
        using LatencyMeasurement measurement = new(feed, processors);
        return measurement.Run(wanted);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _b.Dispose();
        _speaker.Dispose();
    }

    private static PeerIdentity Identity(int router) => new(FeedOptions.ReceiverAs, 0xC633_6402 + (uint)router, HoldTime, AddPath: true);

    /// <summary>10.x.y.0/24, which no table of the Internet has.</summary>
    private static IpPrefix PrefixOf(int index) => IpPrefix.Create(IpAddr.FromIPv4(0x0A00_0000 | ((uint)index << 8)), 24);

    private static void Announce(IBufferWriter<byte> buffer, int path, int first, int count)
    {
        PathAttributes attributes = new()
        {
            AsPath = AsPath.Sequence(64_600 + (uint)path, 64_700),
            NextHop = RouteAttributes.NextHopOf(IpFamily.IPv4, path),
            LocalPref = 100,
        };
        Nlri[] prefixes = [.. Enumerable.Range(first, count).Select(i => new Nlri(PrefixOf(i), (uint)path + 1))];
        UpdateEncoder.Announce(IpFamily.IPv4, attributes, prefixes, new() { FourOctetAs = true, AddPathIPv4 = true }, buffer);
    }

    private LatencyResult Run(int wanted)
    {
        ArrayBufferWriter<byte> buffer = new();
        Announce(buffer, 0, 0, SmallTable);
        _b.Send(buffer.WrittenSpan);
        List<double> loading = [];
        List<double> purging = [];
        List<double> idle = [];
        double seconds = 0;
        int loads = 0;
        using WakeUpProbe first = new(0);
        using WakeUpProbe second = new(1);
        for (; loads < MostLoads && (loads == 0 || loading.Count < wanted); loads++)
        {
            Arm();
            WithdrawDuring(() => false, idle, atMost: SmallTable / 10);
            using ScriptedPeer a = _speaker.Connect(0, Identity(0));
            long start = Stopwatch.GetTimestamp();
            Task<TimeSpan> sending = Start(() => a.SendTable(_feed.Path));
            WithdrawDuring(() => sending.IsCompleted, loading, atMost: SmallTable * 6 / 10);
            sending.Wait();
            _speaker.Await("complete", "peer1");
            seconds += Stopwatch.GetElapsedTime(start).TotalSeconds;

            // Long enough for the interval of keepalives that the load fell into to end.
            Thread.Sleep(TimeSpan.FromSeconds((HoldTime / 3.0) + 0.5));
            NoteKeepalives(a, 0);
            a.Dispose();
            Task emptied = Start(() => _speaker.Await("empty", "peer1"));
            WithdrawDuring(() => emptied.IsCompleted, purging, atMost: SmallTable * 3 / 10);
            emptied.Wait();
        }

        NoteKeepalives(_b, 1);
        if (_b.Ended is { } ended)
        {
            throw new ComparisonException("the session with router B ended: " + ended);
        }

        first.Dispose();
        second.Dispose();
        return new(_processors, [.. loading.Order()], [.. purging.Order()], [.. idle.Order()], _longest, _keepalives, _b.HoldTime.TotalSeconds, loads, seconds, [first.Milliseconds, second.Milliseconds]);
    }

    /// <summary>Announces the second paths again and puts an override on each.</summary>
    private void Arm()
    {
        ArrayBufferWriter<byte> buffer = new();
        Announce(buffer, 1, 0, SmallTable);
        _b.Send(buffer.WrittenSpan);
        string line = "override " + string.Join(' ', Enumerable.Range(0, SmallTable).Select(i => $"{PrefixOf(i)} {RouteAttributes.NextHopOf(IpFamily.IPv4, 1)}"));
        long start = Stopwatch.GetTimestamp();
        JsonElement answer;
        do
        {
            Thread.Sleep(50);
            answer = _speaker.Ask(line, "announced");
        }
        while (answer.GetProperty("count").GetInt32() < SmallTable && Stopwatch.GetElapsedTime(start) < AnswerTimeout);

        if (answer.GetProperty("count").GetInt32() < SmallTable)
        {
            throw new ComparisonException("no override on every path: " + answer);
        }

        _next = 0;
        Array.Clear(_sent);
        Array.Clear(_answered);
    }

    /// <summary>Withdraws the next paths until something is over, and waits for the answers to those withdrawn while it was not.</summary>
    private void WithdrawDuring(Func<bool> isOver, List<double> milliseconds, int atMost)
    {
        int first = _next;
        long start = Stopwatch.GetTimestamp();
        byte[] octets = new byte[BgpConstants.MaxMessageLength];
        for (; _next < Math.Min(first + atMost, SmallTable) && !isOver(); _next++)
        {
            BgpWriter writer = new(octets);
            UpdateMessage update = new();
            update.Withdrawn.Add(new(PrefixOf(_next), 2));
            UpdateEncoder.Encode(ref writer, update, new() { FourOctetAs = true, AddPathIPv4 = true });
            TimeSpan due = TimeSpan.FromMilliseconds(Spacing * (_next - first));
            TimeSpan wait = due - Stopwatch.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
            {
                Thread.Sleep(wait);
            }

            if (isOver())
            {
                break;
            }

            Volatile.Write(ref _sent[_next], Stopwatch.GetTimestamp());
            _b.Send(writer.Written);
        }

        for (int i = first; i < _next; i++)
        {
            while (Volatile.Read(ref _answered[i]) == 0)
            {
                if (Stopwatch.GetElapsedTime(_sent[i]) > AnswerTimeout)
                {
                    throw new ComparisonException($"the override of {PrefixOf(i)} was not withdrawn within {AnswerTimeout.TotalSeconds:0} s. {_b.Ended}");
                }

                Thread.Sleep(1);
            }

            milliseconds.Add(Stopwatch.GetElapsedTime(_sent[i], _answered[i]).TotalMilliseconds);
        }
    }

    private void OnUpdate(UpdateMessage update, long when)
    {
        foreach (Nlri nlri in update.Withdrawn)
        {
            uint index = (nlri.Prefix.Address.IPv4Value >> 8) & 0xFFFF;
            if (index < SmallTable && Volatile.Read(ref _sent[index]) != 0)
            {
                Volatile.Write(ref _answered[index], when);
            }
        }
    }

    private void NoteKeepalives(ScriptedPeer peer, int router)
    {
        // The first interval begins with the KEEPALIVE that established the session.
        long before = peer.Established;
        foreach (long at in peer.Keepalives)
        {
            _longest[router] = Math.Max(_longest[router], Stopwatch.GetElapsedTime(before, at).TotalSeconds);
            before = at;
            _keepalives++;
        }

        _longest[router] = Math.Max(_longest[router], Stopwatch.GetElapsedTime(before).TotalSeconds);
    }

    private static Task<T> Start<T>(Func<T> function) => Task.Factory.StartNew(
        () =>
        {
            NetworkNamespace.PinThread(0);
            return function();
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
