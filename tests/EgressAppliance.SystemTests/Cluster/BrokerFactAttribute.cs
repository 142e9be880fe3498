using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>A system test with a real RabbitMQ.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrokerFactAttribute : SystemFactAttribute
{
    /// <summary>Decides when the test is discovered.</summary>
    public BrokerFactAttribute()
        : base(RabbitServer.Missing)
    {
    }
}
