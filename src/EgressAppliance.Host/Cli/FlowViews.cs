using EgressAppliance.Host.Http;
using EgressAppliance.Host.Pipeline;

namespace EgressAppliance.Host.Cli;

/// <summary>The part of <c>show capture</c> about flow export.</summary>
public static class FlowViews
{
    /// <summary>Writes it.</summary>
    public static void Write(FlowDto flow, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(flow);
        ArgumentNullException.ThrowIfNull(console);
        TextTable exporters = new(
            "EXPORTER", "ROUTER", "STATE", "PROTOCOL", ">LAST HEARD", ">DATAGRAMS", ">RECORDS", ">ON LINKS", "?>UNROUTED", "?>TEMPLATES", "?>SAMPLING", ">DELAY", ">LOST", ">LOST OF LATE");
        foreach (FlowExporterDto e in flow.Exporters)
        {
            exporters.Add(
                e.Address, e.Router, new Cell(e.State, e.State == CaptureState.Receiving ? CellStyle.Good : CellStyle.Warning), e.Protocol ?? "-",
                e.LastHeard is { } heard ? heard.ToString("HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture) + "Z" : "never",
                Human.Count(e.Datagrams), Human.Count(e.Records), Human.Count(e.Counted), Human.Count(e.Unrouted), Human.Count(e.Templates),
                e.Sampling == 0 ? "-" : $"1 in {Human.Count(e.Sampling)}{(e.SamplingTold ? "" : " (configured)")}", $"{e.DelaySeconds:0.#} s",
                new Cell($"{Human.Count(e.Lost)} {e.Unit}", e.Lost > 0 ? CellStyle.Bad : CellStyle.Plain), new Cell(CaptureViews.Ratio(e.LossRatio), e.LossRatio > 0 ? CellStyle.Bad : CellStyle.Plain));
        }

        exporters.Write(console, "No exporters.");
        foreach (FlowExporterDto e in flow.Exporters)
        {
            Reasons(e.Address, "refused", e.Refused, console);
            Reasons(e.Address, "not counted", e.Discarded, console);
        }

        console.Out.WriteLine();
        TextTable listeners = new("LISTEN", ">DATAGRAMS", ">DROPPED", ">BUFFER");
        foreach (FlowListenerDto l in flow.Listeners)
        {
            listeners.Add(l.Listen, Human.Count(l.Datagrams), new Cell(Human.Count(l.KernelDropped), l.KernelDropped > 0 ? CellStyle.Bad : CellStyle.Plain), $"{l.ReceiveBuffer >> 10} KiB");
        }

        listeners.Write(console, "No sockets.");
        if (flow.UnknownExporter > 0)
        {
            console.Out.WriteLine($"  from addresses that are no exporter's: {Human.Count(flow.UnknownExporter)} ({string.Join(", ", flow.Unknown)})");
        }

        console.Out.WriteLine();
        TextTable links = new("LINK", ">IFINDEX", "KNOWN BY");
        foreach (FlowLinkDto link in flow.Links)
        {
            links.Add(link.Name, link.IfIndex is { } index ? Human.Count(index) : "-", link.By switch
            {
                "snmp" => "output interface, ifIndex by SNMP",
                "configured" => "output interface, ifIndex as configured",
                _ => "next hop",
            });
        }

        links.Write(console, "No link is counted by flow export.");
    }

    private static void Reasons(string exporter, string what, IReadOnlyDictionary<string, long> reasons, CommandConsole console)
    {
        if (reasons.Count > 0)
        {
            console.Out.WriteLine($"  {exporter}: {what}: {string.Join(", ", reasons.OrderByDescending(r => r.Value).ThenBy(r => r.Key, StringComparer.Ordinal).Select(r => $"{r.Key} {Human.Count(r.Value)}"))}");
        }
    }
}
