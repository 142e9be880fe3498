using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Pipeline;

namespace EgressAppliance.Host.Flow;

/// <summary>What the operator should know about flow export: a pure function of two readings.</summary>
internal static class FlowAdvice
{
    /// <summary>Fewer records say nothing about shares.</summary>
    private const long EnoughRecords = 100;

    /// <summary>Adds what there is to say.</summary>
    /// <param name="before">The counters at the interval's begin; null as <paramref name="now"/>.</param>
    /// <param name="now">The counters at its end; null without flow export.</param>
    /// <param name="interval">The time between.</param>
    /// <param name="findings">Takes it.</param>
    public static void Find(FlowReading? before, FlowReading? now, TimeSpan interval, List<CaptureFinding> findings)
    {
        if (before is null || now is null)
        {
            return;
        }

        string span = $"in the last {interval.TotalSeconds:0} s";
        for (int i = 0; i < now.Exporters.Count; i++)
        {
            FindExporter(i, before.Exporters[i], now, span, findings);
        }

        for (int i = 0; i < now.Listeners.Count; i++)
        {
            FindListener(i, before.Listeners[i], now.Listeners[i], span, findings);
        }

        if (now.UnknownExporter > before.UnknownExporter)
        {
            findings.Add(new("", FindingLevel.Hint, "flow_unknown_exporter",
                $"{Human.Count(now.UnknownExporter - before.UnknownExporter)} datagrams came {span} from addresses that are no exporter's, such as {string.Join(", ", now.Unknown.Take(3))}",
                "add them to flow.exporters, or keep them away"));
        }

        if (now.Unspread > before.Unspread)
        {
            findings.Add(new("", FindingLevel.Warning, "flow_unspread", $"{Human.Count(now.Unspread - before.Unspread)} records {span} were counted at once for want of room",
                $"lower the exporters' active timeout, and flow.active_timeout ({now.ActiveTimeout.TotalSeconds:0}s) with it, or have them sample"));
        }
    }

    private static void FindExporter(int index, ExporterReading before, FlowReading reading, string span, List<CaptureFinding> findings)
    {
        ExporterReading now = reading.Exporters[index];
        string key = $"flow.exporters[{index}]";
        long lost = now.Lost - before.Lost;
        long records = now.Records - before.Records;
        if (lost > 0)
        {
            Add(FindingLevel.Loss, "flow_lost", $"{Human.Count(lost)} {UnitOf(now)} of {Human.Count(lost + now.Received - before.Received)} are missing {span}, by their sequence numbers",
                "look for drops on the way here, in the sockets below, and for an exporter that cannot keep up");
        }

        long templates = Gain("template_unknown");
        if (templates > 0)
        {
            Add(FindingLevel.Warning, "flow_template_unknown", $"{Human.Count(templates)} sets of data came {span} before their template",
                "it passes with the next template; have the exporter repeat its templates every minute or so");
        }

        string[] refused = [.. now.Refused.Keys.Where(r => r is not ("template_unknown" or "no_destination" or "unsupported_sample") && Gain(r) > 0).Order(StringComparer.Ordinal)];
        if (refused.Length > 0)
        {
            Add(FindingLevel.Warning, "flow_refused", $"parts of datagrams were refused {span}: {string.Join(", ", refused.Select(r => $"{r} {Human.Count(Gain(r))}"))}", "docs/flow.md lists the reasons");
        }

        if (records >= EnoughRecords && now.Counted == before.Counted)
        {
            string known = string.Join(", ", reading.Links.Where(l => l.IfIndex is not null).Select(l => $"{l.Link} {l.IfIndex}"));
            Add(FindingLevel.Warning, "flow_no_link", $"none of {Human.Count(records)} records {span} left by a link{(now.OtherInterface != 0 ? $"; one names the output ifIndex {now.OtherInterface}" : "")}",
                known.Length > 0 ? $"compare with the links' ifIndex ({known}); `interface: index:N` of the link sets another, without SNMP" : "add snmp to the router, or give the link `interface: index:N`");
        }

        if (now.TooLong > before.TooLong)
        {
            Add(FindingLevel.Warning, "flow_too_long", $"{Human.Count(now.TooLong - before.TooLong)} records {span} stand for more than flow.active_timeout ({reading.ActiveTimeout.TotalSeconds:0}s): their rates are too high, and too short",
                "lower the exporter's active timeout, or raise flow.active_timeout");
        }

        void Add(FindingLevel level, string code, string message, string advice) => findings.Add(new(now.Address.ToString(), level, code, message, $"{key}: {advice}"));

        long Gain(string reason) => now.Refused.GetValueOrDefault(reason) - before.Refused.GetValueOrDefault(reason);
    }

    private static void FindListener(int index, ListenerReading before, ListenerReading now, string span, List<CaptureFinding> findings)
    {
        // The kernel doubles what is asked for, for its own bookkeeping (socket(7), SO_RCVBUF).
        bool small = now.ReceiveBuffer < now.Asked;
        string raise = small ? $"sysctl -w net.core.rmem_max={now.Asked}, and restart the appliance" : $"raise flow.receive_buffer ({now.Asked >> 10}KiB)";
        if (now.KernelDropped > before.KernelDropped)
        {
            findings.Add(new(now.Listen, FindingLevel.Loss, "flow_kernel_dropped", $"the kernel dropped {Human.Count(now.KernelDropped - before.KernelDropped)} datagrams {span}: the receive buffer was full", raise));
        }
        else if (small)
        {
            findings.Add(new(now.Listen, FindingLevel.Hint, "flow_small_buffer", $"the kernel gives a receive buffer of {now.ReceiveBuffer >> 10} KiB instead of {now.Asked >> 10}", raise));
        }

        if (now.Message is not null)
        {
            findings.Add(new(now.Listen, FindingLevel.Loss, "flow_socket", now.Message, $"check flow.listen[{index}]"));
        }
    }

    /// <summary>What the sequence numbers of a protocol count.</summary>
    internal static string UnitOf(ExporterReading exporter) => exporter.Protocol switch
    {
        EgressAppliance.Flow.FlowProtocol.NetFlow5 => "flows",
        EgressAppliance.Flow.FlowProtocol.NetFlow9 => "datagrams",
        EgressAppliance.Flow.FlowProtocol.Ipfix => "records",
        _ => "samples",
    };
}
