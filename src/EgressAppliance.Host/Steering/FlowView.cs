using System.Text.Json;
using EgressAppliance.Host.Flow;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Pipeline;

namespace EgressAppliance.Host.Steering;

/// <summary>Turns the counters of flow export into the document of the API.</summary>
public static class FlowView
{
    /// <summary>Beyond the active timeout, for so long an exporter is not called silent yet.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>The document.</summary>
    /// <param name="reading">The counters.</param>
    /// <param name="now">Now.</param>
    public static FlowDto Of(FlowReading reading, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return new FlowDto(
            [.. reading.Exporters.Select(e => Exporter(e, reading.ActiveTimeout, now))],
            [.. reading.Listeners.Select(l => new FlowListenerDto(l.Listen, l.Datagrams, l.KernelDropped, l.ReceiveBuffer, l.Message))],
            [.. reading.Links.Select(l => new FlowLinkDto(l.Link, l.IfIndex, JsonNamingPolicy.SnakeCaseLower.ConvertName(l.By.ToString())))],
            reading.UnknownExporter, [.. reading.Unknown.Select(a => a.ToString())], reading.ActiveTimeout.TotalSeconds, reading.Unspread);
    }

    private static FlowExporterDto Exporter(ExporterReading e, TimeSpan activeTimeout, DateTimeOffset now) => new(
        e.Address.ToString(), e.Router, e.LastHeard is { } heard && now - heard <= activeTimeout + Patience ? CaptureState.Receiving : CaptureState.Silent,
        e.Protocol?.ToString().ToLowerInvariant(), e.Datagrams, e.Records, e.Counted, e.Unrouted, e.Discarded, e.Refused, e.Templates, e.Lost, FlowAdvice.UnitOf(e),
        Math.Round(e.LossRatio, 9), e.Sampling, e.SamplingTold, Math.Round(e.Delay.TotalSeconds, 1), e.LastHeard);
}
