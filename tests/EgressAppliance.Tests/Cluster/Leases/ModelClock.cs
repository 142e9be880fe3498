namespace EgressAppliance.Tests.Cluster.Leases;

/// <summary>A monotonic clock of one machine: microseconds, from any origin, at a rate of its own.</summary>
internal sealed class ModelClock(LeaseModel model, double rate, long origin) : TimeProvider
{
    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => origin + (long)(model.Now * rate);

    /// <summary>True time that passes while this clock counts that much, in microseconds.</summary>
    public long True(TimeSpan own) => (long)Math.Ceiling(own.TotalMicroseconds / rate);
}
