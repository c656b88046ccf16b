"""A stand-in for pydantic 2 where it is not installed: as much of it as compiled strategies and the stand-in trainer use."""
import copy
import re
import types
import typing
from pathlib import Path

MISSING = object()
RULES = {
    "ge": (lambda value, limit: value >= limit, "Input should be greater than or equal to {}"),
    "gt": (lambda value, limit: value > limit, "Input should be greater than {}"),
    "le": (lambda value, limit: value <= limit, "Input should be less than or equal to {}"),
    "lt": (lambda value, limit: value < limit, "Input should be less than {}"),
    "multiple_of": (lambda value, step: (value / step).is_integer(), "Input should be a multiple of {}"),
    "min_length": (lambda value, length: len(value) >= length, "Input should have at least {} items"),
    "max_length": (lambda value, length: len(value) <= length, "Input should have at most {} items"),
    "pattern": (lambda value, text: re.search(text, value) is not None, "String should match pattern '{}'"),
}


class ValidationError(ValueError):
    def __init__(self, title, errors):
        self.title, self._errors = title, errors
        lines = [f"{'.'.join(str(part) for part in place)}\n  {message}" for place, message in errors]
        super().__init__(f"{len(errors)} validation error(s) for {title}\n" + "\n".join(lines))

    def errors(self):
        return [{"loc": place, "msg": message} for place, message in self._errors]


class FieldInfo:
    def __init__(self, default=MISSING, *, default_factory=None, alias=None, description=None, annotation=None, **rules):
        unknown = set(rules) - set(RULES)
        if unknown:
            raise TypeError(f"the stand-in for pydantic has no rule {sorted(unknown)}")
        self.default = MISSING if default is ... else default
        self.default_factory, self.alias, self.description = default_factory, alias, description
        self.annotation, self.rules = annotation, rules

    def is_required(self):
        return self.default is MISSING and self.default_factory is None

    def value(self):
        return self.default_factory() if self.default_factory is not None else copy.deepcopy(self.default)


def Field(default=MISSING, **rules):
    return FieldInfo(default, **rules)


def ConfigDict(**settings):
    return settings


def marked(kind, *names, mode="after"):
    """A decorator that leaves a mark on a function or class method, which the class collects."""

    def mark(function):
        getattr(function, "__func__", function).standin_mark = (kind, names, mode)
        return function

    return mark


def field_validator(*names, mode="after"):
    return marked("field", *names, mode=mode)


def model_validator(*, mode):
    return marked("model", mode=mode)


class BaseModel:
    model_config = {}
    model_fields = {}

    def __init_subclass__(cls, **settings):
        super().__init_subclass__(**settings)
        cls.model_config = {**cls.model_config, **vars(cls).get("model_config", {})}
        hints = typing.get_type_hints(cls)
        own = {}
        for name in vars(cls).get("__annotations__", {}):
            if name == "model_config" or typing.get_origin(hints[name]) is typing.ClassVar:
                continue
            given = vars(cls).get(name, MISSING)
            info = given if isinstance(given, FieldInfo) else FieldInfo(given)
            info.annotation = hints[name]
            own[name] = info
            if name in vars(cls):
                delattr(cls, name)
        cls.model_fields = {**cls.model_fields, **own}

    def __init__(self, /, **values):
        values, errors, result = dict(values), [], {}
        for name, info in type(self).model_fields.items():
            allowed = [info.alias] if info.alias else [name]
            if info.alias and self.model_config.get("populate_by_name"):
                allowed.append(name)
            found = [values.pop(key) for key in allowed if key in values]
            if not found and info.is_required():
                errors.append(((allowed[0],), "Field required"))
            elif not found:
                result[name] = info.value()
            else:
                try:
                    result[name] = self._checked(name, info, found[0])
                except ValidationError as error:
                    errors += [((allowed[0], *place), message) for place, message in error._errors]
                except (ValueError, TypeError, AssertionError) as error:
                    errors.append(((allowed[0],), str(error)))
        if self.model_config.get("extra") == "forbid":
            errors += [((key,), "Extra inputs are not permitted") for key in values]
        if errors:
            raise ValidationError(type(self).__name__, errors)
        vars(self).update(result)
        for validate in self._validators("model"):
            try:
                validate(self)
            except ValueError as error:
                raise ValidationError(type(self).__name__, [((), f"Value error, {error}")]) from None

    def _validators(self, kind, name=None):
        for parent in reversed(type(self).__mro__):
            for key, member in vars(parent).items():
                mark = getattr(getattr(member, "__func__", member), "standin_mark", None)
                if mark and mark[0] == kind and (name is None or name in mark[1]):
                    # A validator of a field is a class method, one of the model a method.
                    yield getattr(type(self), key)

    def _checked(self, name, info, value):
        value = coerce(info.annotation, value)
        for rule, limit in info.rules.items():
            check, message = RULES[rule]
            if value is not None and limit is not None and not check(value, limit):
                raise ValueError(message.format(limit))
        for validate in self._validators("field", name):
            value = validate(value)
        return value

    def model_dump(self, by_alias=False, **_):
        fields = type(self).model_fields.items()
        return {(by_alias and info.alias) or name: dumped(getattr(self, name)) for name, info in fields}

    def __setattr__(self, name, value):
        if self.model_config.get("frozen"):
            raise ValidationError(type(self).__name__, [((name,), "Instance is frozen")])
        super().__setattr__(name, value)


def dumped(value):
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, dict):
        return {key: dumped(inner) for key, inner in value.items()}
    return [dumped(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def coerce(kind, value):
    """The value as this type has it, as leniently as pydantic; ValueError if it has no such value."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is typing.Any:
        return value
    if origin is typing.Literal:
        if not any(value == one and type(value) is type(one) for one in arguments):
            raise ValueError("Input should be " + " or ".join(repr(one) for one in arguments))
        return value
    if origin in (typing.Union, types.UnionType):
        return coerce_to_any(arguments, value)
    if origin in (list, dict) or kind in (list, dict):
        return coerce_container(origin or kind, arguments, value)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if isinstance(value, kind):
            return value
        if not isinstance(value, dict):
            raise ValueError("Input should be a valid dictionary")
        return kind(**value)
    return coerce_scalar(kind, value)


def coerce_to_any(kinds, value):
    last = ValueError("Input should be one of several types")
    for kind in kinds:
        try:
            return coerce(kind, value)
        except ValueError as error:
            last = error
    raise last


def coerce_container(kind, arguments, value):
    if kind is dict and isinstance(value, dict):
        return dict(value)
    if kind is list and isinstance(value, (list, tuple)):
        return [coerce(arguments[0], inner) for inner in value] if arguments else list(value)
    raise ValueError(f"Input should be a valid {'dictionary' if kind is dict else 'list'}")


TRUE, FALSE = {"true", "t", "yes", "y", "on", "1"}, {"false", "f", "no", "n", "off", "0"}


def coerce_scalar(kind, value):
    if kind is type(None):
        if value is not None:
            raise ValueError("Input should be None")
        return None
    if kind is bool:
        text = str(value).lower()
        if isinstance(value, bool):
            return value
        if not isinstance(value, (int, float, str)) or text not in TRUE | FALSE:
            raise ValueError("Input should be a valid boolean")
        return text in TRUE
    if kind is str:
        if not isinstance(value, str):
            raise ValueError("Input should be a valid string")
        return value
    if kind is Path:
        return Path(value)
    if kind is float or kind is int:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"Input should be a valid {'number' if kind is float else 'integer'}") from None
        if kind is int and not number.is_integer():
            raise ValueError("Input should be a valid integer, got a number with a fractional part")
        return number if kind is float else int(number)
    raise TypeError(f"the stand-in for pydantic does not know the type {kind}")
