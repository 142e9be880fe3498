using EgressAppliance.Host.Http;
using EgressAppliance.Host.Pipeline;

namespace EgressAppliance.Host.Cli;

/// <summary><c>show capture</c>: where every frame ended, and what to do about those that are lost.</summary>
public static class CaptureViews
{
    /// <summary>Writes it.</summary>
    public static void Write(CaptureDto capture, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(capture);
        ArgumentNullException.ThrowIfNull(console);
        bool onlyFlow = capture.Flow is not null && capture.Sources.Count == 0;
        if (!onlyFlow)
        {
            WriteStages(capture, console);
        }

        console.Out.WriteLine(
            $"{Human.Rate(capture.BitsPerSecond)}, {Human.PacketRate(capture.PacketsPerSecond)}{(capture.Sampling > 1 ? $" (sampling 1 in {Human.Count(capture.Sampling)}, scaled up)" : "")}; "
            + $"{Human.Count(capture.Prefixes)} prefixes in the table");
        if (!onlyFlow)
        {
            console.Out.WriteLine($"lost: {Ratio(capture.LossRatio)} over the last {capture.IntervalSeconds:0} s, {Ratio(capture.TotalLossRatio)} since start");
        }

        console.Out.WriteLine(
            "huge pages: " + (capture.HugePages.Length == 0 ? "the kernel has none" : $"{Human.Clean(capture.HugePages)}, {capture.HugePagesBytes >> 20} MiB in use"));
        console.Out.WriteLine();
        if (!onlyFlow)
        {
            WriteSources(capture, console);
        }

        if (capture.Undecodable.Count > 0)
        {
            console.Out.WriteLine();
            TextTable reasons = new("UNDECODABLE", ">FRAMES");
            foreach ((string reason, long frames) in capture.Undecodable.OrderByDescending(u => u.Value).ThenBy(u => u.Key, StringComparer.Ordinal))
            {
                reasons.Add(reason, Human.Count(frames));
            }

            reasons.Write(console, "");
        }

        if (capture.Flow is { } flow)
        {
            if (!onlyFlow)
            {
                console.Out.WriteLine();
            }

            FlowViews.Write(flow, console);
        }

        // Advice is for reading and copying whole, so it is no table.
        console.Out.WriteLine();
        foreach (CaptureFindingDto finding in capture.Findings)
        {
            console.Out.WriteLine($"{finding.Level}: {(finding.Source.Length == 0 ? "" : Human.Clean(finding.Source) + ": ")}{Human.Clean(finding.Message)}");
            console.Out.WriteLine($"    → {Human.Clean(finding.Advice)}");
        }

        if (capture.Findings.Count == 0)
        {
            console.Out.WriteLine("Nothing to advise on.");
        }
    }

    private static void WriteStages(CaptureDto capture, CommandConsole console)
    {
        new TextTable("STAGE", ">FRAMES")
            .Add("dropped by the NIC", Loss(capture.Sources.Sum(s => s.NicMissed)))
            .Add("dropped by the kernel", Loss(capture.KernelDropped))
            .Add("received", Human.Count(capture.Frames))
            .Add("dropped, no free batch", Loss(capture.PoolExhausted))
            .Add("not IP", Human.Count(capture.NonIp))
            .Add("ignored MAC", Human.Count(capture.Ignored))
            .Add("undecodable", Loss(capture.Undecodable.Values.Sum()))
            .Add("counted", Human.Count(capture.Packets))
            .Add("  of these unrouted", Human.Count(capture.UnroutedPackets))
            .Add("  of these on no link", Human.Count(capture.UnattributedPackets))
            .Write(console, "");
        console.Out.WriteLine();
    }

    private static void WriteSources(CaptureDto capture, CommandConsole console)
    {
        TextTable sources = new("SOURCE", "STATE", ">FRAMES/S", ">IP RATE", ">LOST", "?>WORKERS", ">FRAMES", "?>NIC DROPS", ">DROPPED", ">FREEZES", "?>NO BATCH", "?>NOT IP", "?>UNDECODABLE");
        foreach (CaptureSourceDto source in capture.Sources)
        {
            bool good = source.State == CaptureState.Receiving;
            sources.Add(
                source.Name,
                new Cell(source.State.Replace('_', ' '), good ? CellStyle.Good : source.State == CaptureState.Silent ? CellStyle.Warning : CellStyle.Bad),
                Human.Count((long)source.FramesPerSecond), Human.Rate(source.BitsPerSecond), new Cell(Ratio(source.LossRatio), source.LossRatio > 0 ? CellStyle.Bad : CellStyle.Plain),
                Human.Count(source.WorkerFrames.Count), Human.Count(source.Frames), Loss(source.NicMissed), Loss(source.KernelDropped), Loss(source.Freezes),
                Loss(source.PoolExhausted), Human.Count(source.NonIp), Human.Count(source.Undecodable));
        }

        sources.Write(console, "No sources.");
        foreach (CaptureSourceDto source in capture.Sources)
        {
            if (source.Message is not null)
            {
                // It begins with the source's name.
                console.Out.WriteLine($"  {Human.Clean(source.Message)}");
            }

            if (source.WorkerFrames.Count > 1)
            {
                console.Out.WriteLine($"  {Human.Clean(source.Name)}: frames by worker: {string.Join(", ", source.WorkerFrames.Select(Human.Count))}");
            }
        }
    }

    /// <summary>A share that may be small but must not look like none.</summary>
    internal static string Ratio(double ratio) => ratio == 0 ? "0" : ratio < 0.0005 ? "<0.1%" : Human.Percent(ratio);

    private static Cell Loss(long count) => new(Human.Count(count), count == 0 ? CellStyle.Plain : CellStyle.Bad);
}
