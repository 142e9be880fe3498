using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>A system test that needs protobuf's own compiler.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ProtocFactAttribute : SystemFactAttribute
{
    /// <summary>Decides when the test is discovered.</summary>
    public ProtocFactAttribute()
        : base(SystemRequirements.MissingPackages([("protoc", "protobuf-compiler")]))
    {
    }
}
