namespace EgressAppliance.Snmp;

/// <summary>The variables an agent serves. Called from the agent's own task, one call at a time.</summary>
public interface IMibView
{
    /// <summary>The value of a variable, or <see cref="SnmpValue.NoSuchObject"/> or <see cref="SnmpValue.NoSuchInstance"/>.</summary>
    SnmpValue Get(ObjectIdentifier name);

    /// <summary>The first variable behind a name in lexicographical order, or null behind the last.</summary>
    VarBind? Next(ObjectIdentifier name);
}
