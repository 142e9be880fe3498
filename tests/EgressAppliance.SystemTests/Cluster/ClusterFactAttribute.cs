using EgressAppliance.SystemTests.History;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>A system test of a site of several boxes: needs the lab, RabbitMQ and PostgreSQL.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ClusterFactAttribute : SystemFactAttribute
{
    /// <summary>Decides when the test is discovered.</summary>
    public ClusterFactAttribute()
        : base(SystemRequirements.Missing ?? RabbitServer.Missing ?? HistoryFactAttribute.Missing())
    {
    }
}
