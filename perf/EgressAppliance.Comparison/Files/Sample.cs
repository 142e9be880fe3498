namespace EgressAppliance.Comparison.Files;

/// <summary>One run of one program over one mix.</summary>
/// <param name="Packets">IP packets counted.</param>
/// <param name="IpBytes">Their IP bytes; 0 where the program does not tell.</param>
/// <param name="CpuSeconds">Processor time spent on them, start-up left out.</param>
/// <param name="WallSeconds">Time spent on them; 0 where it is not known.</param>
/// <param name="CrossCheckCpuSeconds">The same as <paramref name="CpuSeconds"/>, measured from outside; 0 where it is not.</param>
internal readonly record struct Sample(long Packets, long IpBytes, double CpuSeconds, double WallSeconds = 0, double CrossCheckCpuSeconds = 0)
{
    /// <summary>Packets per second of processor time.</summary>
    public double PerCpuSecond => Packets / CpuSeconds;

    /// <summary>Packets per second.</summary>
    public double PerSecond => Packets / WallSeconds;
}
