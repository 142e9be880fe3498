using System.Globalization;
using EgressAppliance.Capture;
using EgressAppliance.Host.Config;
using EgressAppliance.Simulator;
using EgressAppliance.Simulator.Traffic;

namespace EgressAppliance.Host.Demo;

/// <summary>
/// Runs the demo: the real appliance against a simulated site, on loopback, without privileges.
/// <para>
/// The appliance is started by the caller's function from a configuration and a packet source, the same way as against a real router; it opens its BGP
/// session over TCP, polls SNMP over UDP and serves its page. When it is ready, the story begins: some prefixes of the first link grow until plain BGP would
/// overload it. What is told and summed up is the simulated router's own account, so that the appliance cannot flatter itself.
/// </para>
/// <para>
/// Order of the end: the source ends, the data path counts what is in flight, the account is closed, and only then the appliance stops, so that the
/// withdrawal of its routes at the stop is not taken for releases.
/// </para>
/// </summary>
public static class DemoRunner
{
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Runs until the story ends or, without a duration, until cancelled; both end with a summary.
    /// </summary>
    /// <param name="options">Options.</param>
    /// <param name="start">Starts the appliance; its HTTP endpoint is up when the task completes.</param>
    /// <param name="output">Where the story and the summary go.</param>
    /// <param name="cancellationToken">Ends the demo (Ctrl-C).</param>
    /// <exception cref="DemoException">The appliance did not become ready, or its data path stands still.</exception>
    public static async Task<DemoSummary> RunAsync(
        DemoOptions options, Func<ApplianceConfig, IReadOnlyList<IPacketSource>, Task<IDemoAppliance>> start, TextWriter output,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(output);
        SurgeScenario scenario = options.Duration is { } duration ? SurgeScenario.Once(duration) : SurgeScenario.Endless;
        SimulatedNetwork network = new(scenario, options.Seed);
        await using (network.ConfigureAwait(false))
        {
            ApplianceConfig config = DemoConfig.Build(network, options);
            using SimulatedPacketSource source = new(DemoConfig.SourceName, network.Traffic);
            using DemoNarrator narrator = new(
                network, scenario, config.Links[0].Threshold, options.Json ? options.Narration ?? TextWriter.Null : output, options.TerminalWidth);
            narrator.Say("Simulated router " + config.Routers[0].Name + ": " + string.Join(", ", network.Router.Links.Select(
                l => string.Create(CultureInfo.InvariantCulture, $"{l.Name} {l.CapacityBps / 1e6:F0} Mbit/s")))
                + $"; {network.Router.GetPrefixes().Length} prefixes, three providers each but for a few.");
            DemoSummary summary;
            IDemoAppliance appliance = await start(config, [source]).ConfigureAwait(false);
            await using (appliance.ConfigureAwait(false))
            {
                narrator.Say($"The appliance runs; its page is http://127.0.0.1:{appliance.HttpPort}/");
                try
                {
                    await WaitUntilReadyAsync(network, appliance, config, options, cancellationToken).ConfigureAwait(false);
                    narrator.Say("BGP is up and the table complete. The story begins; BGP in brackets: the load under plain BGP.");
                    network.Traffic.StartStory();
                    await TellAsync(network, scenario, appliance, narrator, cancellationToken).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
                {
                    narrator.Say("Ending.");
                }

                source.Finish();
                summary = await SumUpAsync(network, source, appliance, narrator).ConfigureAwait(false);
            }

            await output.WriteLineAsync(options.Json ? summary.ToJson() : Describe(summary)).ConfigureAwait(false);
            await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            return summary;
        }
    }

    private static async Task WaitUntilReadyAsync(
        SimulatedNetwork network, IDemoAppliance appliance, ApplianceConfig config, DemoOptions options, CancellationToken cancel)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!network.Bgp.IsEstablished || appliance.Api.NotReady is not null)
        {
            if (TimeProvider.System.GetElapsedTime(start) > options.StartTimeout)
            {
                throw new DemoException(
                    $"The appliance was not ready within {options.StartTimeout.TotalSeconds:F0} s: {appliance.Api.NotReady ?? network.Bgp.LastError ?? "no BGP session"}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancel).ConfigureAwait(false);
        }

        // Demands are averages: the story begins when the first window is full.
        await Task.Delay(config.Decision.Window + config.Decision.Cycle, cancel).ConfigureAwait(false);
    }

    private static async Task TellAsync(
        SimulatedNetwork network, SurgeScenario scenario, IDemoAppliance appliance, DemoNarrator narrator, CancellationToken cancel)
    {
        using PeriodicTimer second = new(TimeSpan.FromSeconds(1));
        (TimeSpan at, long since) = (network.Traffic.Now, TimeProvider.System.GetTimestamp());
        while (scenario.Repeat || network.Traffic.StoryTime < scenario.Length)
        {
            await second.WaitForNextTickAsync(cancel).ConfigureAwait(false);
            narrator.Tell(appliance.Api.State.Decision);
            if (network.Traffic.Now != at)
            {
                (at, since) = (network.Traffic.Now, TimeProvider.System.GetTimestamp());
            }
            else if (TimeProvider.System.GetElapsedTime(since) > StallLimit)
            {
                throw new DemoException("The appliance's data path has stopped reading frames.");
            }
        }
    }

    private static async Task<DemoSummary> SumUpAsync(
        SimulatedNetwork network, SimulatedPacketSource source, IDemoAppliance appliance, DemoNarrator narrator)
    {
        long start = TimeProvider.System.GetTimestamp();
        while ((!source.HasEnded || appliance.CountedPackets < source.GetStatistics().ReceivedFrames)
            && TimeProvider.System.GetElapsedTime(start) < DrainLimit)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20)).ConfigureAwait(false);
        }

        narrator.Close();
        TruthSummary truth = network.Traffic.Truth.Summarize();
        long packets = network.Traffic.Frames;
        return new(
            [.. network.Router.Links.Select((l, i) => new DemoLinkSummary(
                l.Name, Math.Round(truth.PeakRatios[i], 4), Math.Round(truth.NativePeakRatios[i], 4)))],
            narrator.Moves, narrator.Releases, truth.OverloadSeconds, truth.NativeOverloadSeconds, packets, Math.Max(0, packets - appliance.CountedPackets));
    }

    private static string Describe(DemoSummary summary)
    {
        List<string> lines = ["", "                 peak   under plain BGP"];
        lines.AddRange(summary.Links.Select(l => string.Create(
            CultureInfo.InvariantCulture, $"  {l.Name,-10} {l.PeakRatio * 100,6:F1} %   {l.PeakRatioWithout * 100,6:F1} %")));
        lines.Add($"  seconds beyond capacity: {summary.OverloadSeconds}, under plain BGP: {summary.OverloadSecondsWithout}");
        lines.Add($"  {summary.Moves} moves, {summary.Releases} releases; {summary.Packets} packets, {summary.LostPackets} not counted");
        return string.Join(Environment.NewLine, lines);
    }
}
