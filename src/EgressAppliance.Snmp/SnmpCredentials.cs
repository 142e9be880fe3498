namespace EgressAppliance.Snmp;

/// <summary>What a client shows to an agent, and by it the version of the messages: <see cref="Community"/> (2c) or <see cref="UsmUser"/> (3).</summary>
public abstract class SnmpCredentials
{
    private protected SnmpCredentials()
    {
    }
}
