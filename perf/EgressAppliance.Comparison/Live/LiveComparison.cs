using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Comparison.Traffic;

namespace EgressAppliance.Comparison.Live;

/// <summary>A program that receives.</summary>
/// <param name="Name">As reports show it.</param>
/// <param name="Command">Its command line.</param>
internal sealed record Receiver(string Name, IReadOnlyList<string> Command);

/// <summary>One receiver at one rate once.</summary>
/// <param name="SentPerSecond">Frames that the sender sent, by the clock.</param>
/// <param name="Sent">Frames sent.</param>
/// <param name="Packets">IP packets counted.</param>
/// <param name="Drops">Frames for which there was no room.</param>
/// <param name="Freezes">How often the ring had no room.</param>
/// <param name="CaptureSeconds">Processor time of the threads that capture and count.</param>
/// <param name="ProcessSeconds">Processor time of the process, less what it uses when nothing arrives.</param>
internal sealed record LiveSample(double SentPerSecond, long Sent, long Packets, long Drops, long Freezes, double CaptureSeconds, double ProcessSeconds)
{
    /// <summary>Nanoseconds of capture threads for each packet.</summary>
    public double CaptureNanoseconds => CaptureSeconds / Packets * 1e9;

    /// <summary>Nanoseconds of the process for each packet.</summary>
    public double ProcessNanoseconds => ProcessSeconds / Packets * 1e9;
}

/// <summary>
/// Compares receivers on a veth pair. The sender's system calls also do the kernel's receiving, so what a receiver's processor time
/// shows is its own work on what the kernel has put into its ring.
/// </summary>
/// <param name="folder">Folder of the traffic.</param>
/// <param name="seconds">How long each is measured.</param>
internal sealed class LiveComparison(string folder, double seconds)
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(1);

    /// <summary>As fast as the sender can, so that some millions of packets have passed: by then the appliance's code is compiled for good.</summary>
    private const double WarmUpSeconds = 6;

    private readonly string _programs = Repository.BuildBaselines("live");

    /// <summary>Rates to send at, packets a second; 0: as fast as the sender can.</summary>
    public static IReadOnlyList<int> Rates { get; } = [300_000, 0];

    /// <summary>The programs in the order of their turns; the first is what others are measured against.</summary>
    public IReadOnlyList<Receiver> Receivers =>
    [
        new("C, TPACKET_V3 ring", [Path.Combine(_programs, "live"), "--mode", "ring", .. CArguments]),
        new(
            "egress-appliance data path",
            [Path.Combine(AppContext.BaseDirectory, "EgressAppliance.Comparison"), "receive", "--interface", Wire.ReceiverInterface, "--table", TrafficGenerator.TablePath(folder)]),
        new("C, libpcap callback", [Path.Combine(_programs, "live"), "--mode", "callback", .. CArguments]),
    ];

    private IEnumerable<string> CArguments =>
    [
        "--interface", Wire.ReceiverInterface, "--table", TrafficGenerator.TablePath(folder),
        .. TrafficMix.Links.SelectMany(link => (string[])["--link", $"{link.Name}={TrafficMix.FormatMac(link.Mac)}"]),
    ];

    /// <summary>Measures all receivers at all rates, in turn.</summary>
    public Dictionary<(string Receiver, int Rate), List<LiveSample>> Run(int rounds)
    {
        Dictionary<(string, int), List<LiveSample>> results = [];
        using Wire wire = new();
        for (int round = 1; round <= rounds; round++)
        {
            foreach (Receiver receiver in Receivers)
            {
                using ReceiverProcess process = new(wire.AtReceiver(receiver.Command));

                // Twice, with counters read in between: the appliance has two sets of them, and takes memory for each when it is first used.
                Send(wire, WarmUpSeconds / 2, rate: 0);
                process.Ask();
                Send(wire, WarmUpSeconds / 2, rate: 0);
                double idle = IdleLoad(process);
                foreach (int rate in Rates)
                {
                    LiveSample sample = Measure(wire, process, rate, idle);
                    Console.Error.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{round}/{rounds} {receiver.Name}: {sample.SentPerSecond:0} frames/s, {sample.Drops} dropped, {sample.CaptureNanoseconds:0} ns a packet, process {sample.ProcessNanoseconds:0}"));
                    if (!results.TryGetValue((receiver.Name, rate), out List<LiveSample>? samples))
                    {
                        results.Add((receiver.Name, rate), samples = []);
                    }

                    samples.Add(sample);
                }
            }
        }

        return results;
    }

    /// <summary>Share of a processor that the process uses when nothing arrives.</summary>
    private static double IdleLoad(ReceiverProcess process)
    {
        Thread.Sleep(Settle);
        long start = Stopwatch.GetTimestamp();
        double before = process.ThreadSeconds().Values.Sum();
        Thread.Sleep(IdleTime);
        return (process.ThreadSeconds().Values.Sum() - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private LiveSample Measure(Wire wire, ReceiverProcess process, int rate, double idle)
    {
        ReceiverTotals totals = process.Ask();
        Dictionary<string, double> threads = process.ThreadSeconds();
        long start = Stopwatch.GetTimestamp();
        (long sent, double sendSeconds) = Send(wire, seconds, rate);
        Thread.Sleep(Settle);
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Dictionary<string, double> threadsAfter = process.ThreadSeconds();
        ReceiverTotals after = process.Ask();
        double capture = 0;
        double all = 0;
        foreach ((string thread, double time) in threadsAfter)
        {
            double used = time - threads.GetValueOrDefault(thread);
            all += used;
            capture += IsCaptureThread(thread) ? used : 0;
        }

        long packets = after.Packets - totals.Packets;
        long drops = after.Drops - totals.Drops;
        long arps = sent / (TrafficMix.PacketsPerArp + 1);
        if (Math.Abs(packets + drops + arps - sent) > Math.Max(2, sent / 1000))
        {
            throw new ComparisonException($"{sent} frames were sent, but {packets} packets were counted and {drops} frames dropped");
        }

        return new(sent / sendSeconds, sent, packets, drops, after.Freezes - totals.Freezes, capture, all - (idle * elapsed));
    }

    /// <summary>The pipeline's own threads; in C, the only one.</summary>
    private static bool IsCaptureThread(string thread) => thread.Split(' ', 2)[1] is var name
        && (name.StartsWith("read ", StringComparison.Ordinal) || name.StartsWith("count ", StringComparison.Ordinal) || name == "live");

    private (long Sent, double Seconds) Send(Wire wire, double time, int rate)
    {
        string[] command =
        [
            Path.Combine(_programs, "sender"), "--interface", Wire.SenderInterface, "--seconds", time.ToString(CultureInfo.InvariantCulture),
            "--rate", rate.ToString(CultureInfo.InvariantCulture), TrafficGenerator.PcapPath(folder, "mixed"),
        ];
        using JsonDocument json = JsonDocument.Parse(ProcessRun.Run("ip", wire.AtSender(command)).Output);
        return (json.RootElement.GetProperty("sent").GetInt64(), json.RootElement.GetProperty("seconds").GetDouble());
    }
}
